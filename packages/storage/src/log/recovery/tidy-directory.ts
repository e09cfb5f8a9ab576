/** The files of a partition directory, as a start wants to find them: what a stop left half made or half removed goes first. */
import { parseSegmentFile } from '../../files/log-directory-names.ts'
import type { LoadPorts } from './load-options.ts'
import { completeSwaps } from './swap-files.ts'

/** Returns the names that are left. */
export function tidyDirectory(directory: string, ports: LoadPorts): readonly string[] {
  const { fs } = ports
  let names = fs.list(directory)
  const leftovers = new Set(names.filter(isLeftover))
  for (const name of leftovers) fs.removeFile(`${directory}/${name}`)
  if (names.some((name) => parseSegmentFile(name)?.state === '.swap')) {
    completeSwaps(directory, ports)
    names = fs.list(directory)
  }
  const present = names.filter((name) => !leftovers.has(name))
  removeOrphans(directory, present, ports)
  return present
}

/** Files on their way out, or half made, when the process stopped. */
function isLeftover(name: string): boolean {
  return name.endsWith('.tmp') || ['.deleted', '.cleaned'].includes(parseSegmentFile(name)?.state ?? '')
}

/** Index files whose log is gone. */
function removeOrphans(directory: string, names: readonly string[], { fs, logger }: LoadPorts): void {
  for (const name of names) {
    const file = parseSegmentFile(name)
    if (file === null || file.suffix === '.log' || file.suffix === '.snapshot') continue
    if (names.includes(`${name.slice(0, name.indexOf('.'))}.log`)) continue
    logger.warn({ path: `${directory}/${name}` }, 'Removing an index file without a log file')
    fs.removeFile(`${directory}/${name}`)
  }
}
