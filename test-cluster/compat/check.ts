import type { CommandResult } from '../foreign/kafka-tools.ts'

/** One thing that a foreign client must be able to do. Throws when it is not so. */
export interface CompatCheck {
  readonly name: string
  run(bootstrap: string): Promise<void>
}

/** A foreign client: how it is brought here, and what it is asked to do. */
export interface CompatSuite {
  readonly name: string
  /** `quick` ones run in CI. */
  readonly pace: 'quick' | 'long'
  /** Installs the client; throws with what the machine lacks. */
  install(): Promise<void>
  readonly checks: readonly CompatCheck[]
}

/** A topic name that no earlier check used. */
export function freshName(prefix: string): string {
  return `${prefix}-${Date.now().toString(36)}-${Math.floor(Math.random() * 1e6).toString(36)}`
}

/** Throws with everything the command said unless it ended well. */
export function succeeded({ stdout, stderr, exitCode }: CommandResult): string {
  if (exitCode !== 0) throw new Error(`exit ${exitCode}\n${stdout}\n${stderr}`)
  return stdout
}

/** Throws with both when they differ. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (left !== right) throw new Error(`${what}: expected ${shorten(right)}, got ${shorten(left)}`)
}

function shorten(text: string | undefined): string {
  return text === undefined || text.length < 2000 ? String(text) : `${text.slice(0, 2000)} …`
}
