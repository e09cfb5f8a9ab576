/**
 * Notices that a connection leads nowhere. After a link was cut, TCP repeats what is unanswered at ever longer intervals, as long as the
 * cut lasted: waiting for it would keep nodes apart for seconds after the link is whole again. So whoever dialed gives the connection up
 * and dials anew, which proves nothing about the other node and reports nothing.
 */
import type { Scheduler, TimerHandle } from '@kavka/kernel'
import { assert } from '@kavka/kernel'
import { HANDSHAKE_MS_MAX } from './knock.ts'
import { afterPatience } from './patient-timer.ts'

/** Longer than a process pauses to collect garbage; a ping a second (see grpc-client.ts) makes sure that there is something to hear. */
export const SILENCE_MS_MAX = 3_000

const LOOK_EVERY_MS = 500

/** The part of a socket that tells whether anything is heard. */
export interface WatchedSocket {
  readonly bytesRead: number
  once(event: 'close', listener: () => void): unknown
}

/**
 *   idle ── machine answered ──▶ handshaking ── socket ──▶ listening
 */
type WatchState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'handshaking'; readonly timer: TimerHandle }
  | { readonly kind: 'listening'; readonly timer: TimerHandle; readonly bytesRead: number; readonly silentLooks: number }
  | { readonly kind: 'over' }

/** Watches the sockets of one connection until `stop`, or until it says `lost`, which it does once. */
export class ConnectionWatch {
  readonly #scheduler: Scheduler
  readonly #lost: (reason: string) => void
  readonly #sockets = new Set<WatchedSocket>()
  #state: WatchState = { kind: 'idle' }

  constructor(_options: Record<string, never>, { scheduler, lost }: { scheduler: Scheduler; lost: (reason: string) => void }) {
    this.#scheduler = scheduler
    this.#lost = lost
  }

  /** gRPC dials a machine that has just answered. */
  handshaking(): void {
    if (this.#state.kind !== 'idle') return
    const timer = afterPatience(this.#scheduler, HANDSHAKE_MS_MAX, () => this.#end(`no connection within ${HANDSHAKE_MS_MAX} ms`))
    this.#state = { kind: 'handshaking', timer }
  }

  connected(socket: WatchedSocket): void {
    if (this.#state.kind === 'over') return
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.#state.kind === 'listening') return
    if (this.#state.kind === 'handshaking') this.#state.timer.cancel()
    this.#lookLater(this.#bytesRead(), 0)
  }

  stop(): void {
    if (this.#state.kind === 'handshaking' || this.#state.kind === 'listening') this.#state.timer.cancel()
    this.#state = { kind: 'over' }
  }

  /**
   * Counts looks, not time: when this process itself stood still, what arrived meanwhile is read after the first look that is late, and
   * before the second.
   */
  #look(): void {
    const state = this.#state
    assert(state.kind === 'listening', 'looks are canceled with the watch')
    const bytesRead = this.#bytesRead()
    const silentLooks = bytesRead === state.bytesRead ? state.silentLooks + 1 : 0
    if (silentLooks * LOOK_EVERY_MS >= SILENCE_MS_MAX) this.#end(`nothing heard for ${SILENCE_MS_MAX} ms`)
    else this.#lookLater(bytesRead, silentLooks)
  }

  #lookLater(bytesRead: number, silentLooks: number): void {
    const timer = this.#scheduler.after(LOOK_EVERY_MS, () => this.#look())
    this.#state = { kind: 'listening', timer, bytesRead, silentLooks }
  }

  #bytesRead(): number {
    let total = 0
    for (const { bytesRead } of this.#sockets) total += bytesRead
    return total
  }

  #end(reason: string): void {
    this.stop()
    this.#lost(reason)
  }
}
