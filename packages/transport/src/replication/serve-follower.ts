import type { Socket } from 'node:net'
import { status } from '@grpc/grpc-js'
import { assert } from '@kavka/kernel'
import type { Logger, Scheduler } from '@kavka/kernel'
import type { LeaderStream, LeaderStreamEvents } from '@kavka/replication'
import type { CallerIdentity } from '../call-headers.ts'
import { SERVER_PING_INTERVAL_MS, SERVER_PING_TIMEOUT_MS } from '../grpc-client.ts'
import { RECEIVED_MESSAGE_BYTES_MAX } from '../grpc-endpoint.ts'
import { CallSocket } from '../http2/call-socket.ts'
import { RESPONSE_FIELDS, trailerFields } from '../http2/grpc-fields.ts'
import type { HeaderFields } from '../http2/header-block.ts'
import { KeepAlive } from '../http2/keep-alive.ts'
import type { SlabPool } from '../http2/receive-memory.ts'
import { admitBy } from '../service-provider.ts'
import type { RefusedCall } from '../service-provider.ts'
import { FETCH_PATH } from './fetch-call.ts'
import { GrpcLeaderStream, LEADER_STREAM_UNSENT_BYTES_MAX } from './leader-stream.ts'

/** Whether a caller of this cluster is served, and by whom. */
export type Judgment =
  | { readonly ok: true; readonly value: (stream: LeaderStream) => LeaderStreamEvents }
  | { readonly ok: false; readonly error: RefusedCall }

export interface ServeFollowerDeps {
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly slabs: SlabPool
  readonly judge: (caller: CallerIdentity) => Judgment
}

/** Serves a connection whose first bytes, `start`, announced one stream. The socket is paused and belongs to this from here on. */
export function serveFollower(socket: Socket, start: Buffer, clusterId: string, deps: ServeFollowerDeps): void {
  new FollowerConnection(socket, clusterId, deps).begin(start)
}

class FollowerConnection {
  readonly #socket: Socket
  readonly #clusterId: string
  readonly #deps: ServeFollowerDeps
  readonly #call: CallSocket
  readonly #peer: string
  #stream: GrpcLeaderStream | null = null

  constructor(socket: Socket, clusterId: string, deps: ServeFollowerDeps) {
    this.#socket = socket
    this.#clusterId = clusterId
    this.#deps = deps
    this.#peer = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`
    const options = { role: 'server', messageBytesMax: RECEIVED_MESSAGE_BYTES_MAX, unsentBytesMax: LEADER_STREAM_UNSENT_BYTES_MAX } as const
    this.#call = new CallSocket(options, {
      scheduler: deps.scheduler,
      slabs: deps.slabs,
      events: {
        headers: (fields) => this.#called(fields),
        message: (bytes) => this.#stream?.message(bytes),
        drained: () => this.#stream?.drained(),
        closed: () => this.#stream?.closed(),
      },
    })
  }

  begin(start: Buffer): void {
    const socket = this.#socket
    socket.on('data', (chunk: Buffer) => this.#call.chunk(chunk))
    socket.on('error', () => {})
    const keepAlive = new KeepAlive({ intervalMs: SERVER_PING_INTERVAL_MS, timeoutMs: SERVER_PING_TIMEOUT_MS }, {
      scheduler: this.#deps.scheduler,
      bytesRead: () => socket.bytesRead,
      ping: () => this.#call.ping(),
      onSilence: () => socket.destroy(),
    })
    socket.once('close', () => {
      keepAlive.stop()
      this.#call.fail('the connection was closed')
    })
    this.#call.attach(socket)
    this.#call.chunk(start)
    socket.resume()
  }

  #called(fields: HeaderFields): void {
    if (this.#stream !== null) return this.#call.fail('headers within a call')
    const judgment = this.#judge(fields)
    if (!judgment.ok) return this.#refuse(judgment.error)
    const stream = new GrpcLeaderStream({ call: this.#call, logger: this.#deps.logger, peer: this.#peer })
    this.#stream = stream
    stream.start(judgment.value(stream))
  }

  #judge(fields: HeaderFields): Judgment {
    const path = fields.get(':path') ?? ''
    if (path !== FETCH_PATH) return { ok: false, error: { code: status.UNIMPLEMENTED, details: `${path} is not served here` } }
    const admission = admitBy((name) => fields.get(name) ?? null, this.#clusterId)
    return admission.ok ? this.#deps.judge(admission.value) : admission
  }

  #refuse(refusal: RefusedCall): void {
    assert(this.#stream === null, 'refused after it began')
    this.#deps.logger.warn({ peer: this.#peer, reason: refusal.details }, 'Refused a call of another node')
    this.#call.finish(new Map([...RESPONSE_FIELDS, ...trailerFields(refusal)]))
  }
}
