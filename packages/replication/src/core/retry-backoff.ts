import { assert } from '@kavka/kernel'
import type { Random } from '@kavka/kernel'

export interface BackoffOptions {
  readonly delayMsMin: number
  readonly delayMsMax: number
}

/** Doubling delays, each drawn from the upper half of its range so that peers of a failed broker do not return together. */
export class RetryBackoff {
  readonly #options: BackoffOptions
  readonly #random: Random
  #attempts = 0

  constructor(options: BackoffOptions, { random }: { readonly random: Random }) {
    assert(options.delayMsMin > 0 && options.delayMsMin <= options.delayMsMax, 'back-off bounds', { ...options })
    this.#options = options
    this.#random = random
  }

  nextDelayMs(): number {
    const ceiling = Math.min(this.#options.delayMsMin * 2 ** (this.#attempts + 1), this.#options.delayMsMax)
    if (ceiling < this.#options.delayMsMax) this.#attempts++
    return ceiling / 2 + this.#random.unit() * (ceiling / 2)
  }

  reset(): void {
    this.#attempts = 0
  }
}
