/** Carries messages between simulated nodes as badly as a test wants. */
import { assert } from '@kavka/kernel'
import type { Random, Scheduler } from '@kavka/kernel'

/** How links behave; a probability of 0 switches a fault off. */
export interface NetworkFaults {
  readonly dropProbability: number
  readonly duplicateProbability: number
  /** Chance that a message may overtake others of its link; without it a link keeps the order. */
  readonly reorderProbability: number
  readonly delayMsMin: number
  readonly delayMsMax: number
}

export const PERFECT_NETWORK: NetworkFaults = {
  dropProbability: 0,
  duplicateProbability: 0,
  reorderProbability: 0,
  delayMsMin: 0.2,
  delayMsMax: 0.2,
}

export interface SimulatedNetworkDependencies<Message> {
  readonly scheduler: Scheduler
  readonly random: Random
  /** Called for each message that arrives. */
  readonly deliver: (to: number, from: number, message: Message) => void
}

/** Nodes are numbers. A link that is blocked when a message arrives loses it, as one that is blocked when it is sent. */
export class SimulatedNetwork<Message> {
  readonly #dependencies: SimulatedNetworkDependencies<Message>
  readonly #blocked = new Set<string>()
  readonly #lastArrivalMs = new Map<string, number>()
  #faults: NetworkFaults
  #sent = 0
  #lost = 0

  constructor(faults: NetworkFaults, dependencies: SimulatedNetworkDependencies<Message>) {
    this.#faults = faults
    this.#dependencies = dependencies
  }

  get counts(): { readonly sent: number; readonly lost: number } {
    return { sent: this.#sent, lost: this.#lost }
  }

  setFaults(faults: NetworkFaults): void {
    assert(faults.delayMsMin <= faults.delayMsMax, 'delays are a range')
    this.#faults = faults
  }

  send(from: number, to: number, message: Message): void {
    const { random } = this.#dependencies
    this.#sent++
    if (this.isBlocked(from, to) || this.#chance(this.#faults.dropProbability)) {
      this.#lost++
      return
    }
    this.#schedule(from, to, message)
    if (this.#chance(this.#faults.duplicateProbability)) {
      // A late copy, as after a reconnect: up to ten times the usual delay.
      this.#deliverAt(this.#delayMs() * (1 + random.unit() * 9), from, to, message)
    }
  }

  /** Stops messages in one direction. */
  block(from: number, to: number): void {
    this.#blocked.add(linkOf(from, to))
  }

  unblock(from: number, to: number): void {
    this.#blocked.delete(linkOf(from, to))
  }

  isBlocked(from: number, to: number): boolean {
    return this.#blocked.has(linkOf(from, to))
  }

  /** Only nodes of the same group can talk; nodes that are in no group are cut off from all others. Replaces earlier blocks. */
  partition(nodes: readonly number[], groups: ReadonlyArray<readonly number[]>): void {
    this.heal()
    const groupOf = new Map<number, number>()
    groups.forEach((group, index) => group.forEach((node) => groupOf.set(node, index)))
    for (const from of nodes) {
      for (const to of nodes) {
        const together = groupOf.has(from) && groupOf.get(from) === groupOf.get(to)
        if (from !== to && !together) this.block(from, to)
      }
    }
  }

  /** Unblocks every link; the other faults stay. */
  heal(): void {
    this.#blocked.clear()
  }

  #schedule(from: number, to: number, message: Message): void {
    const { scheduler } = this.#dependencies
    const delayMs = this.#delayMs()
    if (this.#chance(this.#faults.reorderProbability)) {
      this.#deliverAt(delayMs, from, to, message)
      return
    }
    const link = linkOf(from, to)
    const nowMs = scheduler.monotonicMs()
    const arrivalMs = Math.max(nowMs + delayMs, this.#lastArrivalMs.get(link) ?? 0)
    this.#lastArrivalMs.set(link, arrivalMs)
    this.#deliverAt(arrivalMs - nowMs, from, to, message)
  }

  #deliverAt(delayMs: number, from: number, to: number, message: Message): void {
    const { scheduler, deliver } = this.#dependencies
    scheduler.after(delayMs, () => {
      if (this.isBlocked(from, to)) this.#lost++
      else deliver(to, from, message)
    })
  }

  #delayMs(): number {
    const { delayMsMin, delayMsMax } = this.#faults
    return delayMsMin + (delayMsMax - delayMsMin) * this.#dependencies.random.unit()
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#dependencies.random.unit() < probability
  }
}

function linkOf(from: number, to: number): string {
  return `${from}>${to}`
}
