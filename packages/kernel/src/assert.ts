/**
 * Assertions detect programmer errors; they stay on in production and stop the process.
 * Expected failures (bad input, a full disk, a lost peer) are values or error codes, never assertions.
 */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
  /** What was true of the state when the assertion failed; printed with the crash. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(Object.keys(details).length === 0 ? message : `${message} ${describe(details)}`)
    this.details = details
  }
}

/** Throws AssertionError when `condition` is false. One condition a call. */
export function assert(
  condition: unknown,
  message: string,
  details?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (!condition) throw new AssertionError(message, details)
}

/** The branch that the types say cannot be reached. */
export function assertNever(value: never, message = 'unreachable'): never {
  throw new AssertionError(message, { value })
}

/** Narrows away null and undefined where the surrounding logic guarantees a value. */
export function assertPresent<T>(value: T | null | undefined, message: string): T {
  if (value === null || value === undefined) throw new AssertionError(message)
  return value
}

function describe(details: Readonly<Record<string, unknown>>): string {
  return Object.entries(details)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ')
}
