import type { Server, ServerDuplexStream } from '@grpc/grpc-js'
import { Metadata } from '@grpc/grpc-js'
import type { LivenessProbe, QuorumPeers, RaftMessage } from '@kavka/controller'
import type { Logger, Scheduler } from '@kavka/kernel'
import { assert } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { CountedWriter } from '../counted-writer.ts'
import type { CredentialsOf } from '../grpc-client.ts'
import type { NodeAddress } from '../node-address.ts'
import { WireDecodeError } from '../proto-runtime.ts'
import { admit, crashOnBug, refuse, whenClosed } from '../service-provider.ts'
import type { GrpcServiceProvider } from '../service-provider.ts'
import { QUORUM_UNSENT_BYTES_MAX, directionOf, quorumServiceDefinition } from './exchange.ts'
import { PeerLink } from './peer-link.ts'
import { decodeRaftMessage, encodeRaftMessage } from './raft-message-codec.ts'

export interface GrpcQuorumPeersOptions {
  readonly clusterId: string
  readonly nodeId: NodeId
  /** `controller.quorum.voters`; this node may be among them. */
  readonly voters: ReadonlyMap<NodeId, NodeAddress>
}

export interface GrpcQuorumPeersDeps {
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly probe: LivenessProbe
  readonly credentialsOf: CredentialsOf
}

/** What the quorum of this node is told; its driver has these methods. */
export interface QuorumPeersEvents {
  receive(message: RaftMessage): void
  /** A stream to the node was opened (again). */
  peerReachable(nodeId: NodeId): void
  /** The stream to the node broke, or could not be opened, and its port refuses connections: its process is gone. */
  peerUnreachable(nodeId: NodeId): void
}

interface InboundStream {
  readonly call: ServerDuplexStream<Buffer, Buffer>
  readonly writer: CountedWriter
}

/** The quorum's messages over gRPC: a stream to each voter for what this node asks, a stream from each node for what it is asked. */
export class GrpcQuorumPeers implements QuorumPeers, GrpcServiceProvider {
  readonly group = 'controller'
  readonly #options: GrpcQuorumPeersOptions
  readonly #logger: Logger
  readonly #events: QuorumPeersEvents
  readonly #links: ReadonlyMap<NodeId, PeerLink>
  /** The newest stream that each node opened; bounded by the number of nodes that pass for nodes of this cluster. */
  readonly #inbound = new Map<NodeId, InboundStream>()
  #droppedMessages = 0

  constructor(options: GrpcQuorumPeersOptions, deps: GrpcQuorumPeersDeps, events: QuorumPeersEvents) {
    this.#options = options
    this.#logger = deps.logger
    this.#events = events
    this.#links = this.#makeLinks(deps)
  }

  /** Opens the streams to the voters. */
  start(): void {
    for (const link of this.#links.values()) link.start()
  }

  /** Closes all streams; nothing is received, sent or reported afterwards. */
  stop(): void {
    for (const link of this.#links.values()) link.stop()
    for (const { call } of this.#inbound.values()) call.end()
    this.#inbound.clear()
  }

  /** Messages that found no way or a full one. */
  get droppedMessages(): number {
    return this.#droppedMessages
  }

  /** Whether the stream to that voter is up. */
  isConnected(voterId: NodeId): boolean {
    return this.#links.get(voterId)?.isOpen ?? false
  }

  send(to: NodeId, message: RaftMessage): void {
    assert(to !== this.#options.nodeId, 'a message to oneself', { to })
    const outcome = directionOf(message) === 'request' ? this.#sendRequest(to, message) : this.#sendResponse(to, message)
    if (outcome === 'dropped') this.#droppedMessages++
  }

  addTo(server: Server): void {
    server.addService(quorumServiceDefinition, {
      exchange: (call: ServerDuplexStream<Buffer, Buffer>) => crashOnBug(() => this.#opened(call)),
    })
  }

  #sendRequest(to: NodeId, message: RaftMessage): 'sent' | 'dropped' {
    const link = this.#links.get(to)
    return link === undefined ? 'dropped' : link.send(encodeRaftMessage(message))
  }

  #sendResponse(to: NodeId, message: RaftMessage): 'sent' | 'dropped' {
    const stream = this.#inbound.get(to)
    if (stream === undefined || stream.writer.full) return 'dropped'
    const bytes = encodeRaftMessage(message)
    stream.writer.write(bytes, bytes.length)
    return 'sent'
  }

  #makeLinks(deps: GrpcQuorumPeersDeps): ReadonlyMap<NodeId, PeerLink> {
    const { clusterId, nodeId, voters } = this.#options
    const links = new Map<NodeId, PeerLink>()
    for (const [peerId, address] of voters) {
      if (peerId === nodeId) continue
      const link: PeerLink = new PeerLink({ clusterId, nodeId, peerId, address }, deps, {
        received: (bytes) => this.#receivedFromVoter(peerId, link, bytes),
        reachable: () => this.#events.peerReachable(peerId),
        unreachable: () => this.#events.peerUnreachable(peerId),
      })
      links.set(peerId, link)
    }
    return links
  }

  #receivedFromVoter(peerId: NodeId, link: PeerLink, bytes: Buffer): void {
    const outcome = this.#receive(peerId, bytes)
    if (outcome === 'malformed') link.shun()
  }

  #opened(call: ServerDuplexStream<Buffer, Buffer>): void {
    const admission = admit(call.metadata, this.#options.clusterId)
    if (!admission.ok) return refuse(call, admission.error, this.#logger)
    const peerId = admission.value.nodeId
    const writer = new CountedWriter({ unsentBytesMax: QUORUM_UNSENT_BYTES_MAX }, { sink: call, onDrained: () => {} })
    const stream: InboundStream = { call, writer }
    this.#replaceInbound(peerId, stream)
    call.sendMetadata(new Metadata())
    call.on('data', (bytes: Buffer) => this.#receivedFromCaller(peerId, stream, bytes))
    this.#links.get(peerId)?.hurry()
  }

  /** A node that opens a second stream has lost the first, even if this side has not noticed yet. */
  #replaceInbound(peerId: NodeId, stream: InboundStream): void {
    const previous = this.#inbound.get(peerId)
    this.#inbound.set(peerId, stream)
    previous?.call.end()
    whenClosed(stream.call, () => {
      if (this.#inbound.get(peerId) === stream) this.#inbound.delete(peerId)
    })
  }

  #receivedFromCaller(peerId: NodeId, stream: InboundStream, bytes: Buffer): void {
    if (this.#inbound.get(peerId) !== stream) return
    const outcome = this.#receive(peerId, bytes)
    if (outcome === 'malformed') stream.call.end()
  }

  #receive(peerId: NodeId, bytes: Buffer): 'received' | 'malformed' {
    const message = this.#decode(peerId, bytes)
    if (message === null) return 'malformed'
    this.#events.receive(message)
    return 'received'
  }

  #decode(peerId: NodeId, bytes: Buffer): RaftMessage | null {
    try {
      const message = decodeRaftMessage(bytes)
      if (message.from === peerId) return message
      this.#logger.warn({ peerId, from: message.from }, 'Node of the quorum spoke for another one')
    } catch (error) {
      if (!(error instanceof WireDecodeError)) throw error
      this.#logger.warn({ peerId, reason: error.message }, 'Malformed message from a node of the quorum')
    }
    return null
  }
}
