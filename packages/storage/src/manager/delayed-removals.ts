/** Files and directories that are removed some time after they left the logs (`file.delete.delay.ms`): readers may be in them. */
import type { FileSystem, Logger, Scheduler, TimerHandle } from '@kavka/kernel'

export class DelayedRemovals {
  readonly #fs: FileSystem
  readonly #scheduler: Scheduler
  readonly #logger: Logger
  readonly #pending = new Set<TimerHandle>()

  constructor(dependencies: { readonly fs: FileSystem; readonly scheduler: Scheduler; readonly logger: Logger }) {
    this.#fs = dependencies.fs
    this.#scheduler = dependencies.scheduler
    this.#logger = dependencies.logger
  }

  files(paths: readonly string[], delayMs: number): void {
    this.#later(delayMs, async () => {
      for (const path of paths) await this.#fs.removeInBackground(path)
    })
  }

  directory(path: string, delayMs: number): void {
    this.#later(delayMs, () => this.#fs.removeInBackground(path))
  }

  /** What has not been removed by now is left to the next start. */
  cancel(): void {
    for (const timer of this.#pending) timer.cancel()
    this.#pending.clear()
  }

  #later(delayMs: number, remove: () => Promise<void>): void {
    const timer = this.#scheduler.after(delayMs, () => {
      this.#pending.delete(timer)
      remove().catch((error: unknown) => {
        this.#logger.warn({ err: error }, 'Deleted files could not be removed; the next start tries again')
      })
    })
    this.#pending.add(timer)
  }
}
