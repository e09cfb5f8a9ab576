/** Durations of one case, in milliseconds. */
export class Latencies {
  readonly #values: number[] = []

  add(ms: number): void {
    this.#values.push(ms)
  }

  get count(): number {
    return this.#values.length
  }

  /** The value below which `share` of all lie; 0 without values. */
  at(share: number): number {
    if (this.#values.length === 0) return 0
    this.#values.sort((a, b) => a - b)
    return this.#values[Math.min(this.#values.length - 1, Math.floor(share * this.#values.length))]!
  }
}
