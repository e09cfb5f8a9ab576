/** One entry of `log.dirs`: whether it works, and who must know when it stops. A failed directory stays failed until a restart. */
import { isDiskError } from '@kavka/kernel'
import type { Logger } from '@kavka/kernel'
import type { Uuid } from '@kavka/protocol'

export class LogDirectory {
  readonly path: string
  readonly directoryId: Uuid
  readonly #logger: Logger
  #failure: Error | null = null
  readonly #listeners = new Set<(cause: Error) => void>()

  constructor(options: { readonly path: string; readonly directoryId: Uuid }, dependencies: { readonly logger: Logger }) {
    this.path = options.path
    this.directoryId = options.directoryId
    this.#logger = dependencies.logger
  }

  get state(): 'online' | 'offline' {
    return this.#failure === null ? 'online' : 'offline'
  }

  get failure(): Error | null {
    return this.#failure
  }

  /** Returns how to unsubscribe. */
  onFailed(listener: (cause: Error) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * After a failed write or sync nobody knows what the disk holds (ATC'20, "Can applications recover from fsync failures?"):
   * no operation is tried again, and nothing more is promised. Throws what is no error of the disk: a mistake of ours must not pass
   * for a broken disk, which would be taken out of service for it.
   */
  fail(cause: unknown): void {
    if (!isDiskError(cause)) throw cause
    if (this.#failure !== null) return
    this.#failure = cause
    const isFull = cause.code === 'ENOSPC'
    this.#logger.error({ err: cause, directory: this.path }, isFull ? 'Log directory is full and goes offline' : 'Log directory failed and goes offline')
    for (const listener of [...this.#listeners]) listener(cause)
  }
}
