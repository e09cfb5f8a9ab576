/** Which file operations are to fail, and how. */

export type FileOperation =
  | 'open' | 'read' | 'write' | 'truncate' | 'sync' | 'sync-directory' | 'rename' | 'remove' | 'make-directory'

export type FileErrorCode =
  | 'EIO' | 'ENOSPC' | 'ENOENT' | 'EISDIR' | 'ENOTDIR' | 'EBADF' | 'EMFILE' | 'EACCES' | 'EEXIST' | 'EROFS'

export interface FileFault {
  readonly operation: FileOperation
  readonly code: FileErrorCode
  /** Only paths that contain this text; all paths when absent. */
  readonly pathIncludes?: string
  /** How often it hits before it is spent; for ever when absent. */
  readonly times?: number
  /** Asked at each operation; the fault lets through what comes when it says no. */
  readonly appliesWhile?: () => boolean
}

/** An error as Node's fs would throw it. */
export function fileError(code: FileErrorCode, call: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call, path })
}

export class FaultInjector {
  readonly #faults = new Set<{ readonly fault: FileFault; timesLeft: number }>()

  /** Faults that have yet to hit, or hit again. */
  get size(): number {
    return this.#faults.size
  }

  inject(fault: FileFault): () => void {
    const active = { fault, timesLeft: fault.times ?? Infinity }
    this.#faults.add(active)
    return () => {
      this.#faults.delete(active)
    }
  }

  /** The error that this operation is to meet, counted as one hit; null when it may go on. */
  take(operation: FileOperation, path: string): FileErrorCode | null {
    for (const active of this.#faults) {
      const { fault } = active
      if (fault.operation !== operation || !path.includes(fault.pathIncludes ?? '')) continue
      if (fault.appliesWhile?.() === false) continue
      active.timesLeft--
      if (active.timesLeft <= 0) this.#faults.delete(active)
      return fault.code
    }
    return null
  }

  check(operation: FileOperation, path: string): void {
    const code = this.take(operation, path)
    if (code !== null) throw fileError(code, operation, path)
  }
}
