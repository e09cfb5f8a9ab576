/** Observations kept for quantiles: the newest ones, so that a scrape shows what is going on now. */
const RING_LENGTH = 512

/** The last observations of one child in a ring, and their count and sum since the start. */
export class ValueRing {
  count = 0
  sum = 0
  #ring: Float64Array | null = null

  observe(value: number): void {
    this.#ring ??= new Float64Array(RING_LENGTH)
    this.#ring[this.count % RING_LENGTH] = value
    this.count += 1
    this.sum += value
  }

  /** One value for each wanted quantile; 0 before the first observation. */
  quantiles(wanted: readonly number[]): readonly number[] {
    const filled = Math.min(this.count, RING_LENGTH)
    if (this.#ring === null || filled === 0) return wanted.map(() => 0)
    const sorted = this.#ring.slice(0, filled).toSorted()
    return wanted.map((quantile) => sorted[Math.min(filled - 1, Math.floor(quantile * filled))]!)
  }
}
