import type { ClientUnaryCall, ServiceError } from '@grpc/grpc-js'
import type { ControllerChannel, ControllerReply, ControllerRequest, ControllerService } from '@kavka/controller'
import { LeaderSessions } from '@kavka/controller'
import type { Logger, Scheduler } from '@kavka/kernel'
import { assertPresent } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { headersFor } from '../call-headers.ts'
import { dial } from '../grpc-client.ts'
import type { CredentialsOf, NodeConnection } from '../grpc-client.ts'
import type { NodeAddress } from '../node-address.ts'
import { WireDecodeError } from '../proto-runtime.ts'
import { passThrough } from '../service-provider.ts'
import { REQUEST_PATH, decodeControllerReply, encodeControllerRequest } from './controller-calls.ts'
import { openRemoteSession } from './controller-session.ts'

export interface ControllerChannelOptions {
  readonly clusterId: string
  readonly nodeId: NodeId
  /** `controller.quorum.voters`. */
  readonly controllers: ReadonlyMap<NodeId, NodeAddress>
}

export interface ControllerChannelDeps {
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly credentialsOf: CredentialsOf
  /** The controller of this process, if it has one: called directly while it is the active one. */
  readonly localService: ControllerService | null
}

/** Unanswered requests to one controller; beyond it the caller is told `unreachable`. */
export const CONTROLLER_REQUESTS_MAX = 10_000

/** A connection to one controller with the calls on it; closed when it failed and its last call ended. */
interface ControllerConnection {
  readonly channel: NodeConnection
  readonly calls: Set<ClientUnaryCall>
  retired: boolean
}

/** Finds the active controller by what `setLeader` says and asks it: over gRPC, or directly when it is this process. */
export class ControllerChannelClient implements ControllerChannel {
  readonly #options: ControllerChannelOptions
  readonly #deps: ControllerChannelDeps
  readonly #connections = new Map<NodeId, ControllerConnection>()
  readonly #sessions = new LeaderSessions()
  #leaderId: NodeId | null = null

  constructor(options: ControllerChannelOptions, deps: ControllerChannelDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** Fed from the state of this node's quorum driver. Sessions to a former leader are closed. */
  setLeader(leaderId: NodeId | null): void {
    if (this.#leaderId === leaderId) return
    this.#leaderId = leaderId
    // A quorum between two leaders keeps its sessions: the old one may be elected again.
    if (leaderId === null) return
    this.#sessions.loseAllBut(leaderId)
    for (const [id, connection] of this.#connections) if (id !== leaderId) this.#retire(id, connection)
  }

  request(request: ControllerRequest, timeoutMs: number): Promise<ControllerReply> {
    const leaderId = this.#leaderId
    if (leaderId === null) return Promise.resolve({ kind: 'not-controller', leaderId: null })
    if (leaderId === this.#options.nodeId) return this.#requestLocally(request, timeoutMs)
    if (!this.#options.controllers.has(leaderId)) return Promise.resolve({ kind: 'not-controller', leaderId: null })
    return this.#requestRemotely(leaderId, request, timeoutMs)
  }

  openSession(
    { brokerId, brokerEpoch }: { readonly brokerId: NodeId; readonly brokerEpoch: number },
    onClosed: () => void,
  ): { close(): void } {
    const leaderId = this.#leaderId
    if (leaderId === this.#options.nodeId) return this.#openLocalSession(leaderId, brokerId, brokerEpoch, onClosed)
    const address = leaderId === null ? undefined : this.#options.controllers.get(leaderId)
    if (leaderId === null || address === undefined) return this.#refuseSession(onClosed)
    const { clusterId } = this.#options
    return this.#sessions.track(leaderId, onClosed, (broken) =>
      openRemoteSession(address, { clusterId, brokerId, brokerEpoch }, this.#deps, broken),
    )
  }

  /** Closes all connections; requests under way end as `unreachable`, sessions without a word. */
  close(): void {
    this.#leaderId = null
    for (const [id, connection] of this.#connections) this.#retire(id, connection)
    this.#sessions.close()
  }

  #requestLocally(request: ControllerRequest, timeoutMs: number): Promise<ControllerReply> {
    const service = assertPresent(this.#deps.localService, 'this node leads the quorum but has no controller')
    return new Promise((resolve, reject) => {
      const timer = this.#deps.scheduler.after(timeoutMs, () => resolve({ kind: 'unreachable' }))
      service.handle(request).then((reply) => {
        timer.cancel()
        resolve(reply)
      }, reject)
    })
  }

  #requestRemotely(leaderId: NodeId, request: ControllerRequest, timeoutMs: number): Promise<ControllerReply> {
    const connection = this.#connectionTo(leaderId)
    if (connection.calls.size >= CONTROLLER_REQUESTS_MAX) return Promise.resolve({ kind: 'unreachable' })
    const bytes = encodeControllerRequest(request)
    return new Promise((resolve) => {
      const call = connection.channel.client.makeUnaryRequest<Buffer, Buffer>(
        REQUEST_PATH, passThrough, passThrough, bytes, headersFor(this.#options),
        (error: ServiceError | null, reply?: Buffer) => {
          timer.cancel()
          resolve(this.#replyOf(request, error, reply))
          this.#callEnded(leaderId, connection, call, error)
        },
      )
      connection.calls.add(call)
      const timer = this.#deps.scheduler.after(timeoutMs, () => call.cancel())
    })
  }

  #replyOf(request: ControllerRequest, error: ServiceError | null, reply: Buffer | undefined): ControllerReply {
    if (error !== null || reply === undefined) {
      this.#deps.logger.debug({ apiKey: request.apiKey, reason: error?.message }, 'No answer from the controller')
      return { kind: 'unreachable' }
    }
    try {
      return decodeControllerReply(request, reply)
    } catch (problem) {
      if (!(problem instanceof WireDecodeError)) throw problem
      this.#deps.logger.warn({ apiKey: request.apiKey, reason: problem.message }, 'Malformed answer from the controller')
      return { kind: 'unreachable' }
    }
  }

  #connectionTo(controllerId: NodeId): ControllerConnection {
    const existing = this.#connections.get(controllerId)
    if (existing !== undefined) return existing
    const address = assertPresent(this.#options.controllers.get(controllerId), 'controller without an address')
    const channel = dial(address, this.#deps, () => this.#lost(controllerId, connection))
    const connection: ControllerConnection = { channel, calls: new Set(), retired: false }
    this.#connections.set(controllerId, connection)
    return connection
  }

  /** After any failure the next request dials anew: at once, not when gRPC's back-off for a dead peer allows. */
  #callEnded(controllerId: NodeId, connection: ControllerConnection, call: ClientUnaryCall, error: ServiceError | null): void {
    connection.calls.delete(call)
    if (error !== null && !connection.retired) this.#retire(controllerId, connection)
    else if (connection.retired && connection.calls.size === 0) connection.channel.close()
  }

  /** Whatever was asked on it stays unanswered. */
  #lost(controllerId: NodeId, connection: ControllerConnection): void {
    this.#retire(controllerId, connection)
    for (const call of connection.calls) call.cancel()
  }

  #retire(controllerId: NodeId, connection: ControllerConnection): void {
    connection.retired = true
    if (this.#connections.get(controllerId) === connection) this.#connections.delete(controllerId)
    if (connection.calls.size === 0) connection.channel.close()
  }

  #openLocalSession(leaderId: NodeId, brokerId: NodeId, brokerEpoch: number, onClosed: () => void): { close(): void } {
    const service = assertPresent(this.#deps.localService, 'this node leads the quorum but has no controller')
    service.sessionOpened(brokerId, brokerEpoch)
    return this.#sessions.track(leaderId, onClosed, () => ({ close: () => service.sessionLost(brokerId, brokerEpoch) }))
  }

  #refuseSession(onClosed: () => void): { close(): void } {
    let open = true
    this.#deps.scheduler.soon(() => {
      if (open) onClosed()
    })
    return { close: () => void (open = false) }
  }
}
