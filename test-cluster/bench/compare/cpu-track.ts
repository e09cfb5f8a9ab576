/** CPU time over wall-clock time, as sampled: what was used between two moments that were not known beforehand. */
export class CpuTrack {
  readonly #samples: { readonly atMs: number; readonly cpuSeconds: number }[] = []

  /** Times and CPU time only grow. */
  add(atMs: number, cpuSeconds: number): void {
    this.#samples.push({ atMs, cpuSeconds })
  }

  /** Between samples as if it was used evenly; what lies outside of all samples counts nothing. */
  between(fromMs: number, toMs: number): number {
    return Math.max(0, this.#at(toMs) - this.#at(fromMs))
  }

  #at(ms: number): number {
    const next = this.#samples.findIndex(({ atMs }) => atMs >= ms)
    if (next < 0) return this.#samples.at(-1)?.cpuSeconds ?? 0
    const [before, after] = [this.#samples[next - 1], this.#samples[next]!]
    if (before === undefined || after.atMs === before.atMs) return after.cpuSeconds
    return before.cpuSeconds + ((ms - before.atMs) / (after.atMs - before.atMs)) * (after.cpuSeconds - before.cpuSeconds)
  }
}
