/** Mistakes of the program that a node logs and lives with (a publisher that throws must not keep the metadata from the others) are findings here. */
import type { Logger } from '@kavka/kernel'

type Line = (fields: unknown, message?: string) => void

/** By name: errors of Node's own are of another class where tests run in a context of their own. */
const MISTAKES: ReadonlySet<string> = new Set(['AssertionError', 'TypeError', 'RangeError', 'ReferenceError'])

/** Passes everything on to `inner`, and what is a mistake to `found` too. */
export function watchedLogger(inner: Logger, found: (mistake: Error, message: string) => void): Logger {
  const watch = (level: 'warn' | 'error' | 'fatal'): Logger['error'] => {
    const line = inner[level].bind(inner) as Line
    return ((fields: unknown, message = '') => {
      const error = errorIn(fields)
      if (error !== null && isMistake(error)) found(error, message)
      line(fields, message)
    }) as Logger['error']
  }
  return {
    level: inner.level,
    trace: inner.trace.bind(inner),
    debug: inner.debug.bind(inner),
    info: inner.info.bind(inner),
    warn: watch('warn'),
    error: watch('error'),
    fatal: watch('fatal'),
    child: ((bindings: object) => watchedLogger(inner.child(bindings), found)) as unknown as Logger['child'],
  }
}

function errorIn(fields: unknown): Error | null {
  const error = typeof fields === 'object' && fields !== null ? (fields as { readonly err?: unknown }).err : null
  return typeof error === 'object' && error !== null && 'message' in error ? (error as Error) : null
}

/** Errors that only a wrong program meets; those of disks and peers are what the simulation is made of. */
function isMistake(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  return MISTAKES.has(error.name) || code?.startsWith('ERR_') === true
}
