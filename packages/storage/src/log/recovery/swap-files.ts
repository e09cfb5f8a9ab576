/** Finishes what a compaction of Kafka had begun: `.swap` files replace the segments whose offsets they cover. */
import type { FileSystem } from '@kavka/kernel'
import { parseSegmentFile } from '../../files/log-directory-names.ts'
import type { OpenFiles } from '../../files/open-files.ts'
import { walkBatches } from '../batches/walk-batches.ts'

export function completeSwaps(directory: string, { fs, files }: { readonly fs: FileSystem; readonly files: OpenFiles }): void {
  const parsed = fs.list(directory).map((name) => ({ name, file: parseSegmentFile(name) }))
  const swaps = parsed.filter(({ file }) => file?.state === '.swap')
  const swappedLogs = swaps.filter(({ file }) => file!.suffix === '.log')
  if (swappedLogs.length > 0) {
    const from = Math.min(...swappedLogs.map(({ file }) => file!.offset))
    const to = Math.max(...swappedLogs.map(({ name, file }) => nextOffsetOf(`${directory}/${name}`, file!.offset)))
    const replaced = parsed.filter(({ file }) => file?.state === '' && file.suffix !== '.snapshot' && file.offset >= from && file.offset < to)
    for (const { name } of replaced) fs.removeFile(`${directory}/${name}`)
  }
  for (const { name } of swaps) fs.rename(`${directory}/${name}`, `${directory}/${name.slice(0, -'.swap'.length)}`)
  if (swaps.length > 0) fs.syncDirectory(directory)

  function nextOffsetOf(path: string, baseOffset: number): number {
    let nextOffset = baseOffset
    const file = files.file(path)
    walkBatches(file, { start: 0, end: file.sizeBytes() }, (batch) => {
      nextOffset = batch.lastOffset + 1
      return null
    })
    files.forget(path)
    return nextOffset
  }
}
