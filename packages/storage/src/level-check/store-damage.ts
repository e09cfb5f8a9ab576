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
 * The first damaged file; null when there is none, or no store. What LevelDB itself refuses (a missing table, a manifest that is not
 * there) is left to it. Reads one file at a time.
 */
export async function storeDamage(directory: string): Promise<DamagedFile | null> {
  const current = await contentOf(directory, 'CURRENT')
  const manifestName = current?.toString().trim() ?? ''
  const manifest = /^MANIFEST-\d+$/.test(manifestName) ? await contentOf(directory, manifestName) : null
  if (manifest === null) return null
  const damage = logDamage(manifest)
  if (damage !== null) return { file: manifestName, ...damage }
  return liveDamage(directory, manifest)
}

async function liveDamage(directory: string, manifest: Buffer): Promise<DamagedFile | null> {
  const live = liveFilesOf(manifest)
  if (live === null) return null
  for (const file of (await readdir(directory)).sort()) {
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
