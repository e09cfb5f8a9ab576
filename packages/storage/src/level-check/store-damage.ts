/** Verifies the files of a LevelDB directory before LevelDB opens it, which would pass over some damage in silence. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Damage } from './damage.ts'
import { liveFilesOf } from './live-files.ts'
import { logDamage } from './log-damage.ts'
import { tableDamage } from './table-damage.ts'

export interface DamagedFile extends Damage {
  readonly file: string
}

/**
 * The first damaged file; null when there is none, or no store. A missing table is left to LevelDB, which refuses it. Reads one file at a
 * time.
 */
export async function storeDamage(directory: string): Promise<DamagedFile | null> {
  const current = await contentOf(directory, 'CURRENT')
  if (current === null) return holdsState(directory)
  const manifestName = /^(MANIFEST-\d+)\n$/.exec(current.toString())?.[1]
  if (manifestName === undefined) return { file: 'CURRENT', at: 0, reason: 'no name of a manifest' }
  const manifest = await contentOf(directory, manifestName)
  if (manifest === null) return { file: 'CURRENT', at: 0, reason: 'the name of a manifest that is not there' }
  const damage = logDamage(manifest)
  if (damage !== null) return { file: manifestName, ...damage }
  return liveDamage(directory, manifest)
}

/** A store that is being made gets its first log after it is named as the current one. */
async function holdsState(directory: string): Promise<DamagedFile | null> {
  const file = (await namesIn(directory)).find((name) => /^\d+\.(log|ldb|sst)$/.test(name))
  return file === undefined ? null : { file, at: 0, reason: 'no file CURRENT beside it' }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function liveDamage(directory: string, manifest: Buffer): Promise<DamagedFile | null> {
  const live = liveFilesOf(manifest)
  if (live === null) return null
  for (const file of await namesIn(directory)) {
    const number = Number.parseInt(file, 10)
    const size = /^\d+\.(ldb|sst)$/.test(file) ? live.tables.get(number) : undefined
    const isLog = /^\d+\.log$/.test(file) && number >= live.logNumberMin
    if (size === undefined && !isLog) continue
    const bytes = await contentOf(directory, file)
    if (bytes === null) continue
    const damage = size === undefined ? logDamage(bytes) : sizedTableDamage(bytes, size)
    if (damage !== null) return { file, ...damage }
  }
  return null
}

function sizedTableDamage(bytes: Buffer, size: number): Damage | null {
  return bytes.length === size ? tableDamage(bytes) : { at: Math.min(bytes.length, size), reason: 'another size than it was given' }
}

/** Null when it is not there. A file that goes meanwhile belongs to another process, and opening will tell that. */
async function contentOf(directory: string, file: string): Promise<Buffer | null> {
  try {
    return await readFile(join(directory, file))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
