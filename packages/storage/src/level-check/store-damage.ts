/** Verifies the files of a LevelDB directory before LevelDB opens it, which would pass over some damage in silence. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Damage } from './damage.ts'
import { logDamage } from './log-damage.ts'
import { tableDamage } from './table-damage.ts'

export interface DamagedFile extends Damage {
  readonly file: string
}

const checks: readonly (readonly [name: RegExp, check: (bytes: Buffer) => Damage | null])[] = [
  [/^\d+\.log$/, logDamage],
  [/^MANIFEST-\d+$/, logDamage],
  [/^\d+\.(ldb|sst)$/, tableDamage],
]

/** The first damaged file; null when there is none, or no directory. Reads one file at a time. */
export async function storeDamage(directory: string): Promise<DamagedFile | null> {
  for (const file of await filesOf(directory)) {
    const damage = fileDamage(file, await contentOf(join(directory, file)))
    if (damage !== null) return { file, ...damage }
  }
  return null
}

/** By the name it is known what a file should be; null also for files that nothing depends on. */
export function fileDamage(file: string, bytes: Buffer): Damage | null {
  return checks.find(([name]) => name.test(file))?.[1](bytes) ?? null
}

/** A file that goes meanwhile belongs to another process, and opening will tell that. */
async function contentOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}

async function filesOf(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((file) => checks.some(([name]) => name.test(file))).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
