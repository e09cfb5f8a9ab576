import type { Scheduler } from '@kavka/kernel'

/** Groups what one turn of the event loop asks for: however often `request` is called, `run` runs once, when the turn ends. */
export class OnceATurn {
  readonly #scheduler: Scheduler
  readonly #run: () => void
  #requested = false
  #stopped = false

  constructor(run: () => void, { scheduler }: { readonly scheduler: Scheduler }) {
    this.#run = run
    this.#scheduler = scheduler
  }

  request(): void {
    if (this.#requested || this.#stopped) return
    this.#requested = true
    this.#scheduler.soon(() => {
      this.#requested = false
      if (!this.#stopped) this.#run()
    })
  }

  stop(): void {
    this.#stopped = true
  }
}
