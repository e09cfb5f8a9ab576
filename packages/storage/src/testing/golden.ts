import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { MemoryFileSystem } from '@kavka/testkit'

/** Apache Kafka's own bytes; see the package's README. */
export const goldenPath = join(__dirname, '../../testdata/golden')

export function readGoldenLines<T>(name: string): T[] {
  const text = readFileSync(join(goldenPath, name), 'utf8')
  return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as T)
}

/** Copies a directory of the golden data into a disk in memory. */
export function copyGolden(fs: MemoryFileSystem, from: string, to: string): void {
  fs.makeDirectory(to)
  for (const name of readdirSync(join(goldenPath, from))) {
    const source = join(goldenPath, from, name)
    if (statSync(source).isDirectory()) copyGolden(fs, join(from, name), `${to}/${name}`)
    else fs.writeFile(`${to}/${name}`, readFileSync(source))
  }
}
