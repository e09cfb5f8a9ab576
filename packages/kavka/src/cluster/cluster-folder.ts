import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseProperties } from '@kavka/kernel'
import { settingsOf } from '../node/node-settings.ts'
import type { NodeSettings } from '../node/node-settings.ts'
import { UsageError } from '../usage-error.ts'

/** A node of a cluster folder: its file and what the file says. */
export interface ClusterMember {
  readonly name: string
  readonly file: string
  readonly settings: NodeSettings
}

/** Reads every `.properties` file of a folder, in name order; wrong settings are reported before anything starts. */
export function readClusterFolder(folder: string): readonly ClusterMember[] {
  const names = listFolder(folder).filter((name) => name.endsWith('.properties')).toSorted()
  if (names.length === 0) throw new UsageError(`kavka: ${folder} holds no .properties file`)
  return names.map((name) => {
    const file = join(folder, name)
    return { name: basename(name, '.properties'), file, settings: settingsOf(parseProperties(readFileSync(file, 'utf8'))) }
  })
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    throw new UsageError(`kavka: cannot read the folder ${folder}: ${(error as Error).message}`)
  }
}
