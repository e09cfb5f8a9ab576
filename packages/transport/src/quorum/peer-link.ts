import type { ClientDuplexStream } from '@grpc/grpc-js'
import type { LivenessProbe } from '@kavka/controller'
import type { Logger, Scheduler, TimerHandle } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { headersFor } from '../call-headers.ts'
import { CountedWriter } from '../counted-writer.ts'
import { CONNECT_TIMEOUT_MS, dial } from '../grpc-client.ts'
import type { CredentialsOf, NodeConnection } from '../grpc-client.ts'
import type { NodeAddress } from '../node-address.ts'
import { passThrough } from '../service-provider.ts'
import { EXCHANGE_PATH, QUORUM_UNSENT_BYTES_MAX } from './exchange.ts'

export const BACKOFF_MS_MIN = 20
export const BACKOFF_MS_MAX = 1_000
/** A refusal costs both sides next to nothing, so a dead peer is asked more often: it is found soon after its restart. */
export const REFUSED_BACKOFF_MS_MAX = 80
/** Silence takes its time to show, a second for each attempt, so that there is no need to wait much longer between them. */
export const SILENT_BACKOFF_MS_MAX = 200
/** A stream that broke sooner is a failed attempt: the next has to wait for longer. */
export const STABLE_AFTER_MS = 1_000

export interface PeerLinkOptions {
  readonly clusterId: string
  readonly nodeId: NodeId
  readonly peerId: NodeId
  readonly address: NodeAddress
}

export interface PeerLinkDeps {
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly probe: LivenessProbe
  readonly credentialsOf: CredentialsOf
}

export interface PeerLinkEvents {
  received(message: Buffer): void
  reachable(): void
  /** Once for each time the stream breaks, and only when the peer's machine said that nobody listens. */
  unreachable(): void
}

interface Connection {
  readonly channel: NodeConnection
  readonly call: ClientDuplexStream<Buffer, Buffer>
  readonly writer: CountedWriter
}

/**
 *  connecting ── accepted ──▶ open
 *      │                        │
 *      └─── broken ────┬────────┘
 *                      ▼
 *                   probing ──▶ waiting ──▶ connecting, or probing again while the peer refuses
 */
type LinkState =
  | { readonly kind: 'connecting'; readonly connection: Connection; readonly timeout: TimerHandle }
  | { readonly kind: 'open'; readonly connection: Connection; readonly sinceMs: number }
  | { readonly kind: 'probing' }
  | { readonly kind: 'waiting'; readonly timer: TimerHandle }
  | { readonly kind: 'stopped' }

/** Keeps one stream to one peer of the quorum up, from `start` to `stop`, and finds out whether a lost peer is dead. */
export class PeerLink {
  readonly #options: PeerLinkOptions
  readonly #deps: PeerLinkDeps
  readonly #events: PeerLinkEvents
  #state: LinkState = { kind: 'stopped' }
  #backoffMs = BACKOFF_MS_MIN
  /** Attempts since a stream lasted: the first may follow its break at once. */
  #attempts = 0
  /** The last probe was refused, or met silence. */
  #wasAway = false
  #reported = false

  constructor(options: PeerLinkOptions, deps: PeerLinkDeps, events: PeerLinkEvents) {
    this.#options = options
    this.#deps = deps
    this.#events = events
  }

  start(): void {
    if (this.#state.kind === 'stopped') this.#connect()
  }

  stop(): void {
    this.#leaveState()
    this.#state = { kind: 'stopped' }
  }

  get isOpen(): boolean {
    return this.#state.kind === 'open'
  }

  /** Drops the message when the peer is away or does not keep up. While a connection is being made messages wait in it. */
  send(message: Buffer): 'sent' | 'dropped' {
    const state = this.#state
    if (state.kind !== 'open' && state.kind !== 'connecting') return 'dropped'
    if (state.connection.writer.full) return 'dropped'
    state.connection.writer.write(message, message.length)
    return 'sent'
  }

  /** The peer sends what makes no sense: leaves it alone for a while. */
  shun(): void {
    if (this.#state.kind !== 'open') return
    this.#leaveState()
    this.#wait(BACKOFF_MS_MAX, () => this.#connect())
  }

  /** The peer that refused connections, or was silent, showed that it is there again: no need to wait any longer. */
  hurry(): void {
    if (this.#state.kind !== 'waiting' || !this.#wasAway) return
    this.#leaveState()
    this.#connect()
  }

  #connect(): void {
    this.#attempts++
    const connection = this.#openStream()
    const timeout = this.#deps.scheduler.after(CONNECT_TIMEOUT_MS, () => this.#broken(connection, 'connecting timed out'))
    this.#state = { kind: 'connecting', connection, timeout }
  }

  #openStream(): Connection {
    const channel = dial(this.#options.address, this.#deps, (reason) => this.#broken(connection, reason))
    const headers = headersFor(this.#options)
    const call = channel.client.makeBidiStreamRequest<Buffer, Buffer>(EXCHANGE_PATH, passThrough, passThrough, headers)
    const writer = new CountedWriter({ unsentBytesMax: QUORUM_UNSENT_BYTES_MAX }, { sink: call, onDrained: () => {} })
    const connection: Connection = { channel, call, writer }
    call.once('metadata', () => this.#accepted(connection))
    call.on('data', (message: Buffer) => this.#received(connection, message))
    call.on('error', (error: Error) => this.#broken(connection, error.message))
    call.on('end', () => this.#broken(connection, 'ended by the peer'))
    return connection
  }

  #accepted(connection: Connection): void {
    const state = this.#state
    if (state.kind !== 'connecting' || state.connection !== connection) return
    state.timeout.cancel()
    this.#state = { kind: 'open', connection, sinceMs: this.#deps.scheduler.monotonicMs() }
    this.#reported = false
    this.#events.reachable()
  }

  #received(connection: Connection, message: Buffer): void {
    const state = this.#state
    if (state.kind === 'open' && state.connection === connection) this.#events.received(message)
  }

  #broken(connection: Connection, reason: string): void {
    const state = this.#state
    if (state.kind !== 'open' && state.kind !== 'connecting') return
    if (state.connection !== connection) return
    if (state.kind === 'open') this.#openBroke(state.sinceMs, reason)
    this.#leaveState()
    this.#probe()
  }

  #openBroke(sinceMs: number, reason: string): void {
    this.#deps.logger.info({ peerId: this.#options.peerId, reason }, 'Connection to a node of the quorum broke')
    if (this.#deps.scheduler.monotonicMs() - sinceMs < STABLE_AFTER_MS) return
    this.#attempts = 0
    this.#backoffMs = BACKOFF_MS_MIN
  }

  #probe(): void {
    const state: LinkState = { kind: 'probing' }
    this.#state = state
    void this.#deps.probe.probe(this.#options.address).then((result) => {
      // `stop` may have come while the probe was on its way, and even another start and break: only our own state goes on.
      if (this.#state === state) this.#probed(result)
    })
  }

  #probed(result: Awaited<ReturnType<LivenessProbe['probe']>>): void {
    const atOnce = result === 'answered' && (this.#attempts === 0 || this.#wasAway)
    this.#wasAway = result !== 'answered'
    if (atOnce) return this.#connect()
    const backoffMs = this.#nextBackoffMs()
    if (result === 'answered') return this.#wait(backoffMs, () => this.#connect())
    if (result === 'unknown') return this.#wait(Math.min(backoffMs, SILENT_BACKOFF_MS_MAX), () => this.#connect())
    this.#wait(Math.min(backoffMs, REFUSED_BACKOFF_MS_MAX), () => this.#probe())
    this.#reportOnce()
  }

  #reportOnce(): void {
    if (this.#reported) return
    this.#reported = true
    this.#deps.logger.info({ peerId: this.#options.peerId }, 'Node of the quorum is gone: its port refuses connections')
    this.#events.unreachable()
  }

  #wait(delayMs: number, next: () => void): void {
    this.#state = { kind: 'waiting', timer: this.#deps.scheduler.after(delayMs, next) }
  }

  #nextBackoffMs(): number {
    const backoffMs = this.#backoffMs
    this.#backoffMs = Math.min(backoffMs * 2, BACKOFF_MS_MAX)
    return backoffMs
  }

  #leaveState(): void {
    const state = this.#state
    if (state.kind === 'connecting') state.timeout.cancel()
    if (state.kind === 'waiting') state.timer.cancel()
    if (state.kind !== 'connecting' && state.kind !== 'open') return
    // The call reports its own cancellation; it is not the state's connection any more by then.
    this.#state = { kind: 'stopped' }
    state.connection.call.cancel()
    state.connection.channel.close()
  }
}
