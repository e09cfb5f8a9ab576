/** S4: the indexes of a sealed segment are those that its batches make. The rules are written down a second time here, on purpose. */
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

  /** The last segment is written on, and its indexes are in memory. */
  #ofPartition(id: NodeId, disk: MemoryFileSystem, directory: string): void {
    const bases = disk.list(directory).filter((file) => file.endsWith('.log')).map((file) => file.slice(0, -'.log'.length))
    for (const base of bases.slice(0, -1)) {
      const read = (suffix: string): Buffer => {
        const path = `${directory}/${base}${suffix}`
        return disk.exists(path) ? disk.peek(path) : Buffer.alloc(0)
      }
      const files = { baseOffset: Number(base), log: read('.log'), offsets: read('.index'), times: read('.timeindex') }
      this.segment({ node: id, segment: `${directory}/${base}` }, files)
    }
  }

  segment(where: Readonly<Record<string, unknown>>, files: SegmentFiles): void {
    const problem = this.#problemOf(files)
    this.#world.judge(NAME, problem === null, { ...where, problem })
  }

  #problemOf(files: SegmentFiles): string | null {
    const expected = this.#rebuilt(files)
    if (!expected.offsets.equals(files.offsets)) return `offset index: ${pairs(files.offsets, OFFSET_ENTRY_BYTES)}; of the log: ${pairs(expected.offsets, OFFSET_ENTRY_BYTES)}`
    if (!expected.times.equals(files.times)) return `time index: ${pairs(files.times, TIME_ENTRY_BYTES)}; of the log: ${pairs(expected.times, TIME_ENTRY_BYTES)}`
    return null
  }

  /** An entry for each batch that begins more than the interval behind the last one, and the largest timestamp at the end. */
  #rebuilt({ log, baseOffset }: SegmentFiles): { readonly offsets: Buffer; readonly times: Buffer } {
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
    times.note()
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

function pairs(content: Buffer, entryBytes: number): string {
  return content.length % entryBytes === 0 ? `${content.length / entryBytes} entries, ${content.subarray(-entryBytes).toString('hex')}` : `${content.length} bytes`
}
