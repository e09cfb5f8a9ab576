/**
 * What a disk may not lose, because nobody could tell. A gap at the end of a sealed segment is what a compaction leaves, where all of it
 * lies below the recovery point and no index names a record in it: nothing in Kafka's formats tells a loss from that.
 */
import { batchLastOffset, batchesIn } from '@kavka/protocol'
import type { MemoryFileSystem } from '@kavka/testkit'

const OFFSET_ENTRY_BYTES = 8
const TIME_ENTRY_BYTES = 12

/** Writes back those of `before`, by path, of which the power cut took such an end. `recoveryPoints`: by `topic-partition`. */
export function restoreHiddenEnds(disk: MemoryFileSystem, before: ReadonlyMap<string, Buffer>, recoveryPoints: ReadonlyMap<string, number>): void {
  for (const [path, content] of before) {
    if (!disk.exists(path) || !isEndHidden(disk, path, recoveryPoints)) continue
    const file = disk.open(path, 'read-write')
    file.writevSync([content], 0)
    file.syncSync()
    file.close()
  }
}

function isEndHidden(disk: MemoryFileSystem, path: string, recoveryPoints: ReadonlyMap<string, number>): boolean {
  const [, directory = '', partition = '', name = ''] = /^(.*\/([^/]+))\/(\d+)\.log$/.exec(path) ?? []
  const next = disk.list(directory).find((other) => other.endsWith('.log') && other > `${name}.log`)
  if (next === undefined || recoveryPoints.get(partition) !== Number.parseInt(next)) return false
  const baseOffset = Number(name)
  return Math.max(endOf(disk.peek(path), baseOffset), namedEnd(disk, `${directory}/${name}`, baseOffset)) < Number.parseInt(next)
}

function endOf(content: Buffer, baseOffset: number): number {
  let end = baseOffset
  for (const step of batchesIn(content)) if (step.kind === 'complete') end = batchLastOffset(content, step.at) + 1
  return end
}

/** Both kinds of entries end with the offset, or with it and a position. */
function namedEnd(disk: MemoryFileSystem, segment: string, baseOffset: number): number {
  const last = (path: string, entryBytes: number, at: number): number => {
    const content = disk.exists(path) ? disk.peek(path) : Buffer.alloc(0)
    return content.length < entryBytes ? baseOffset : baseOffset + content.readInt32BE(content.length - entryBytes + at) + 1
  }
  return Math.max(last(`${segment}.index`, OFFSET_ENTRY_BYTES, 0), last(`${segment}.timeindex`, TIME_ENTRY_BYTES, 8))
}
