/** S4: the indexes of a segment, sealed or just cut, are those that its batches make. The rules are written down a second time here, on purpose. */
import { batchesIn, batchLastOffset, batchMaxTimestamp } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { MemoryFileSystem } from '@kavka/testkit'
import type { World } from '../../world/world.ts'

const NAME = 'S4 IndexesAreOfTheLog'
const OFFSET_ENTRY_BYTES = 8
const TIME_ENTRY_BYTES = 12

export interface SegmentFiles {
  readonly baseOffset: number
  readonly log: Buffer
  readonly offsets: Buffer
  readonly times: Buffer
}

type SegmentState = 'sealed' | 'written-on'

export class IndexChecks {
  readonly #world: World
  readonly #indexIntervalBytes: number

  constructor(options: { readonly indexIntervalBytes: number }, world: World) {
    this.#world = world
    this.#indexIntervalBytes = options.indexIntervalBytes
  }

  /** All sealed segments under a data directory whose files are settled; `isWhole`: whether the run has left the partition alone. */
  ofNode(id: NodeId, disk: MemoryFileSystem, dataDirectory: string, isWhole: (name: string) => boolean): void {
    for (const name of disk.list(dataDirectory)) {
      const directory = `${dataDirectory}/${name}`
      if (disk.isDirectory(directory) && isWhole(name)) this.#ofPartition(id, disk, directory)
    }
  }

  /** A log that was just cut: only then are the indexes of the segment that is written on at hand, for a cut writes them down. */
  ofShortened(id: NodeId, disk: MemoryFileSystem, directory: string): void {
    const base = basesIn(disk, directory).at(-1)
    if (base !== undefined) this.segment({ node: id, segment: `${directory}/${base}`, isCut: true }, filesOf(disk, directory, base), 'written-on')
  }

  /** The last segment is written on, and its indexes are in memory. */
  #ofPartition(id: NodeId, disk: MemoryFileSystem, directory: string): void {
    for (const base of basesIn(disk, directory).slice(0, -1)) {
      this.segment({ node: id, segment: `${directory}/${base}` }, filesOf(disk, directory, base), 'sealed')
    }
  }

  segment(where: Readonly<Record<string, unknown>>, files: SegmentFiles, state: SegmentState): void {
    const problem = this.#problemOf(files, state)
    this.#world.judge(NAME, problem === null, { ...where, problem })
  }

  #problemOf(files: SegmentFiles, state: SegmentState): string | null {
    const expected = this.#rebuilt(files, state)
    if (!expected.offsets.equals(files.offsets)) return `offset index: ${pairs(files.offsets, OFFSET_ENTRY_BYTES)}; of the log: ${pairs(expected.offsets, OFFSET_ENTRY_BYTES)}`
    // The entry that sealing made may stay in the file, as long as its record does.
    const isSealLeft = state === 'written-on' && this.#rebuilt(files, 'sealed').times.equals(files.times)
    if (!expected.times.equals(files.times) && !isSealLeft) return `time index: ${pairs(files.times, TIME_ENTRY_BYTES)}; of the log: ${pairs(expected.times, TIME_ENTRY_BYTES)}`
    return null
  }

  /** An entry for each batch that begins more than the interval behind the last one, and the largest timestamp where it is sealed. */
  #rebuilt({ log, baseOffset }: SegmentFiles, state: SegmentState): { readonly offsets: Buffer; readonly times: Buffer } {
    const offsets: Buffer[] = []
    const times = new TimeEntries(baseOffset)
    let bytesSinceEntry = 0
    for (const step of batchesIn(log)) {
      if (step.kind !== 'complete') break
      const lastOffset = batchLastOffset(log, step.at)
      times.see(batchMaxTimestamp(log, step.at), lastOffset)
      if (bytesSinceEntry > this.#indexIntervalBytes) {
        const entry = Buffer.alloc(OFFSET_ENTRY_BYTES)
        entry.writeInt32BE(lastOffset - baseOffset, 0)
        entry.writeInt32BE(step.at, 4)
        offsets.push(entry)
        times.note()
        bytesSinceEntry = 0
      }
      bytesSinceEntry += step.sizeBytes
    }
    if (state === 'sealed') times.note()
    return { offsets: Buffer.concat(offsets), times: Buffer.concat(times.entries) }
  }
}

class TimeEntries {
  readonly #baseOffset: number
  readonly entries: Buffer[] = []
  #largest = { timestampMs: -1, offset: -1 }
  #noted = -1

  constructor(baseOffset: number) {
    this.#baseOffset = baseOffset
  }

  see(timestampMs: number, offset: number): void {
    if (timestampMs > this.#largest.timestampMs) this.#largest = { timestampMs, offset }
  }

  note(): void {
    const { timestampMs, offset } = this.#largest
    if (timestampMs <= this.#noted) return
    this.#noted = timestampMs
    const entry = Buffer.alloc(TIME_ENTRY_BYTES)
    entry.writeBigInt64BE(BigInt(timestampMs), 0)
    entry.writeInt32BE(offset - this.#baseOffset, 8)
    this.entries.push(entry)
  }
}

function basesIn(disk: MemoryFileSystem, directory: string): string[] {
  return disk.list(directory).filter((file) => file.endsWith('.log')).map((file) => file.slice(0, -'.log'.length)).toSorted()
}

function filesOf(disk: MemoryFileSystem, directory: string, base: string): SegmentFiles {
  const read = (suffix: string): Buffer => {
    const path = `${directory}/${base}${suffix}`
    return disk.exists(path) ? disk.peek(path) : Buffer.alloc(0)
  }
  return { baseOffset: Number(base), log: read('.log'), offsets: read('.index'), times: read('.timeindex') }
}

function pairs(content: Buffer, entryBytes: number): string {
  return content.length % entryBytes === 0 ? `${content.length / entryBytes} entries, ${content.subarray(-entryBytes).toString('hex')}` : `${content.length} bytes`
}
