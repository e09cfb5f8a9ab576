import type { Socket } from 'node:net'
import { status } from '@grpc/grpc-js'
import type { Logger, Scheduler } from '@kavka/kernel'
import { assert } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import type {
  FollowerHello, FollowerStream, FollowerStreamEvents, LeaderStream, LeaderStreamEvents, ReplicationTransport,
} from '@kavka/replication'
import type { CallerIdentity } from '../call-headers.ts'
import type { CredentialsOf } from '../grpc-client.ts'
import { SlabPool } from '../http2/receive-memory.ts'
import type { NodeAddress } from '../node-address.ts'
import type { SingleStreamProvider } from '../service-provider.ts'
import { openFollowerStream } from './follower-stream.ts'
import { serveFollower } from './serve-follower.ts'
import type { Judgment } from './serve-follower.ts'

export interface GrpcReplicationTransportOptions {
  readonly clusterId: string
  readonly nodeId: NodeId
}

export interface GrpcReplicationTransportDeps {
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly credentialsOf: CredentialsOf
}

type AcceptFollower = (hello: FollowerHello, stream: LeaderStream) => LeaderStreamEvents

/** Free memory of all streams of a node: half a dozen leaders that all are busy. */
const FREE_SLABS_MAX = 12

/** Replication streams as gRPC calls: one connection for each follower and leader, framed by our own hand (see http2/). */
export class GrpcReplicationTransport implements ReplicationTransport, SingleStreamProvider {
  readonly group = 'replication'
  readonly #options: GrpcReplicationTransportOptions
  readonly #deps: GrpcReplicationTransportDeps
  readonly #slabs = new SlabPool({ slabsMax: FREE_SLABS_MAX })
  #acceptFollower: AcceptFollower | null = null

  constructor(options: GrpcReplicationTransportOptions, deps: GrpcReplicationTransportDeps) {
    this.#options = options
    this.#deps = deps
  }

  openStream(leader: NodeAddress & { readonly id: NodeId }, hello: FollowerHello, events: FollowerStreamEvents): FollowerStream {
    assert(leader.id === hello.leaderId, 'a stream to another leader than greeted', { leader: leader.id, hello: hello.leaderId })
    return openFollowerStream(leader, hello, { ...this.#deps, slabs: this.#slabs }, events)
  }

  onFollower(accept: AcceptFollower): void {
    assert(this.#acceptFollower === null, 'followers are accepted by one replica manager')
    this.#acceptFollower = accept
  }

  serve(socket: Socket, start: Buffer): void {
    serveFollower(socket, start, this.#options.clusterId, { ...this.#deps, slabs: this.#slabs, judge: (caller) => this.#judge(caller) })
  }

  #judge(caller: CallerIdentity): Judgment {
    const hello = helloOf(caller)
    if (hello.leaderId !== this.#options.nodeId) {
      const details = `this is node ${this.#options.nodeId}, not ${hello.leaderId}`
      return { ok: false, error: { code: status.FAILED_PRECONDITION, details } }
    }
    const accept = this.#acceptFollower
    if (accept === null) return { ok: false, error: { code: status.UNAVAILABLE, details: 'not started yet' } }
    return { ok: true, value: (stream) => accept(hello, stream) }
  }
}

function helloOf({ clusterId, nodeId, brokerEpoch, leaderId }: CallerIdentity): FollowerHello {
  return { clusterId, followerId: nodeId, followerBrokerEpoch: brokerEpoch, leaderId: leaderId as NodeId }
}
