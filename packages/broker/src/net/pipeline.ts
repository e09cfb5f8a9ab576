/**
 * Requests of one connection: replies leave in request order, work may overlap where the order of effects stays that of
 * the requests. Apache Kafka handles one request of a connection at a time; clients see the same order here.
 * Sans-IO: the connection feeds it and sends what it hands back.
 */
import { assert } from '@kavka/kernel'

/**
 * What a request may run beside. `produce`: appends synchronously when it is started, so produces started in order are
 * appended in order. `fetch`: one at a time, so that a peer that asks and never reads pins the memory of one answer.
 * `alone`: starts when everything before it is answered.
 */
export type Overlap = 'produce' | 'fetch' | 'alone'

export type RequestOutcome =
  /** `sent` is called when the socket has handed all of it to the kernel; not when it never does. */
  | { readonly kind: 'reply'; readonly buffers: readonly Buffer[]; readonly sent?: (() => void) | undefined }
  | { readonly kind: 'silent' }
  | { readonly kind: 'close'; readonly reason: string }

export interface PipelinedRequest {
  readonly overlap: Overlap
  /** Starts the work. A promise never rejects. */
  run(): RequestOutcome | Promise<RequestOutcome>
  /** The reply was handed to the socket. */
  replied(): void
}

export interface PipelineEvents {
  reply(buffers: readonly Buffer[], sent: (() => void) | undefined): void
  /** The connection is to be closed once what was replied so far has been sent. */
  close(reason: string): void
  /** A request was answered: there may be room to read further ones. */
  progressed(): void
}

interface Slot {
  readonly request: PipelinedRequest
  state: 'waiting' | 'running' | 'done'
  outcome: RequestOutcome | null
}

export class Pipeline {
  readonly #requestsMax: number
  readonly #events: PipelineEvents
  readonly #slots: Slot[] = []
  #runningProduce = 0
  #runningFetch = 0
  #runningAlone = 0
  #held = false
  #closed = false

  constructor(options: { readonly requestsMax: number }, events: PipelineEvents) {
    assert(options.requestsMax > 0, 'a pipeline holds at least one request')
    this.#requestsMax = options.requestsMax
    this.#events = events
  }

  get hasRoom(): boolean {
    return !this.#closed && !this.#held && this.#slots.length < this.#requestsMax
  }

  /** Requests accepted and not answered. */
  get length(): number {
    return this.#slots.length
  }

  /** Takes the next request of the connection and starts it if its order allows. */
  accept(request: PipelinedRequest): void {
    assert(this.hasRoom, 'a request is accepted only while there is room')
    this.#slots.push({ request, state: 'waiting', outcome: null })
    this.#startEligible()
  }

  /** The peer does not read its replies: start nothing more. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.#startEligible()
  }

  /** The connection is gone: what still runs ends unheard. */
  abandon(): void {
    this.#closed = true
    this.#slots.length = 0
  }

  #startEligible(): void {
    if (this.#held || this.#closed) return
    for (let index = 0; index < this.#slots.length; index++) {
      const slot = this.#slots[index]!
      if (slot.state !== 'waiting') continue
      if (!this.#mayStart(slot.request.overlap)) return
      this.#start(slot)
      if (this.#closed || this.#held) return
      if (this.#slots[index] !== slot) index = -1 // it was answered at once and others moved up
    }
  }

  #mayStart(overlap: Overlap): boolean {
    if (this.#runningAlone > 0) return false
    if (overlap === 'produce') return true
    if (overlap === 'fetch') return this.#runningFetch === 0
    return this.#runningProduce === 0 && this.#runningFetch === 0
  }

  #start(slot: Slot): void {
    slot.state = 'running'
    this.#count(slot.request.overlap, 1)
    const outcome = slot.request.run()
    if (outcome instanceof Promise) void outcome.then((settled) => this.#settle(slot, settled))
    else this.#finish(slot, outcome)
  }

  #settle(slot: Slot, outcome: RequestOutcome): void {
    this.#finish(slot, outcome)
    this.#startEligible()
  }

  #finish(slot: Slot, outcome: RequestOutcome): void {
    this.#count(slot.request.overlap, -1)
    slot.state = 'done'
    slot.outcome = outcome
    if (!this.#closed) this.#replyInOrder()
  }

  #replyInOrder(): void {
    let answered = false
    while (!this.#closed && this.#slots[0]?.state === 'done') {
      const slot = this.#slots.shift()!
      answered = true
      this.#deliver(slot)
    }
    if (answered && !this.#closed) this.#events.progressed()
  }

  #deliver(slot: Slot): void {
    const outcome = slot.outcome!
    if (outcome.kind === 'close') {
      this.abandon()
      this.#events.close(outcome.reason)
      return
    }
    if (outcome.kind === 'reply') this.#events.reply(outcome.buffers, outcome.sent)
    slot.request.replied()
  }

  #count(overlap: Overlap, change: number): void {
    if (overlap === 'produce') this.#runningProduce += change
    else if (overlap === 'fetch') this.#runningFetch += change
    else this.#runningAlone += change
  }
}
