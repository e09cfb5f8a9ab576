import type { Scheduler } from '@kavka/kernel'

export interface TurnEndWriter {
  writeAtTurnEnd(): void
}

/** Collects the logs that a turn of the event loop made dirty and writes them when it ends: one callback for all. */
export class TurnEnd {
  readonly #scheduler: Scheduler
  #writers: TurnEndWriter[] = []

  constructor(dependencies: { readonly scheduler: Scheduler }) {
    this.#scheduler = dependencies.scheduler
  }

  add(writer: TurnEndWriter): void {
    if (this.#writers.length === 0) this.#scheduler.soon(() => this.#run())
    this.#writers.push(writer)
  }

  #run(): void {
    const writers = this.#writers
    this.#writers = []
    for (const writer of writers) writer.writeAtTurnEnd()
  }
}
