import type { LivenessProbe } from '@kavka/controller'

/** A probe that knows how many of its questions are answered. */
export class CountedProbe implements LivenessProbe {
  readonly #probe: LivenessProbe
  asked = 0
  answered = 0

  constructor(probe: LivenessProbe) {
    this.#probe = probe
  }

  get isIdle(): boolean {
    return this.asked === this.answered
  }

  async probe(address: Parameters<LivenessProbe['probe']>[0]): ReturnType<LivenessProbe['probe']> {
    this.asked++
    const verdict = await this.#probe.probe(address)
    this.answered++
    return verdict
  }
}
