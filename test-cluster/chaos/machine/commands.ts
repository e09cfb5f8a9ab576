import { spawnSync } from 'node:child_process'

/** Runs a command to its end; throws with what it said when it fails. */
export function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim() || `exit code ${status}`}`)
  return stdout
}

/** Null when it worked, else why not. */
export function problemOf(attempt: () => unknown): string | null {
  try {
    attempt()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

export function isRoot(): boolean {
  return process.getuid?.() === 0
}
