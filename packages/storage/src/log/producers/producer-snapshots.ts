/** The `.snapshot` files of one log: which exist, and the newest that can be used. */
import type { FileSystem, Logger } from '@kavka/kernel'
import { offsetFileName, parseSegmentFile } from '../../files/log-directory-names.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts'
import type { ProducerState } from './producer-state.ts'

export class ProducerSnapshots {
  readonly #directory: string
  readonly #fs: FileSystem
  readonly #logger: Logger
  /** Ascending. */
  #offsets: number[]

  constructor(directory: string, names: readonly string[], dependencies: { readonly fs: FileSystem; readonly logger: Logger }) {
    this.#directory = directory
    this.#fs = dependencies.fs
    this.#logger = dependencies.logger
    const files = names.map(parseSegmentFile).filter((file) => file !== null && file.suffix === '.snapshot' && file.state === '')
    this.#offsets = files.map((file) => file!.offset).toSorted((a, b) => a - b)
  }

  path(offset: number): string {
    return `${this.#directory}/${offsetFileName(offset, '.snapshot')}`
  }

  /**
   * Writes the state (not synced), unless there is a snapshot of the same offset; returns the path written. A state with a gap is not
   * written: the next start would believe it, and pass over the damage that the gap comes from.
   */
  take(state: ProducerState): string | null {
    const offset = state.endOffset
    if (state.hasGap || this.#offsets.includes(offset)) return null
    const path = this.path(offset)
    this.#fs.writeFile(path, encodeProducerSnapshot(state.entries))
    this.#offsets = [...this.#offsets, offset].toSorted((a, b) => a - b)
    return path
  }

  /** Loads the newest usable snapshot at or below `offsetMax` into `state`, else an empty one at `offsetMin`; unusable ones are removed. */
  load(state: ProducerState, offsetMin: number, offsetMax: number): void {
    this.removeAbove(offsetMax)
    for (let offset = this.#offsets.at(-1); offset !== undefined && offset >= offsetMin; offset = this.#offsets.at(-1)) {
      const decoded = decodeProducerSnapshot(this.#fs.readFile(this.path(offset)))
      if (decoded.ok) return state.load(decoded.value, offset)
      this.#logger.warn({ path: this.path(offset) }, `Removing a producer snapshot: ${decoded.error}`)
      this.#remove((candidate) => candidate === offset)
    }
    state.load([], offsetMin)
  }

  /** Loads the newest usable snapshot at or below `offsetMax` into a state beside the log's own; false when there is none. */
  peek(state: ProducerState, offsetMax: number): boolean {
    for (const offset of this.#offsets.toReversed()) {
      if (offset > offsetMax || !this.#fs.exists(this.path(offset))) continue
      const decoded = decodeProducerSnapshot(this.#fs.readFile(this.path(offset)))
      if (!decoded.ok) continue
      state.load(decoded.value, offset)
      return true
    }
    return false
  }

  removeAbove(offset: number): void {
    this.#remove((candidate) => candidate > offset)
  }

  removeBelow(offset: number): void {
    this.#remove((candidate) => candidate < offset)
  }

  /** Only snapshots at a segment's base help a truncation; of the others the newest is kept, for the next start. */
  removeStrays(baseOffsets: ReadonlySet<number>): void {
    const newest = this.#offsets.at(-1)
    this.#remove((candidate) => candidate !== newest && !baseOffsets.has(candidate))
  }

  #remove(goes: (offset: number) => boolean): void {
    const gone = this.#offsets.filter(goes)
    if (gone.length === 0) return
    for (const offset of gone) this.#fs.removeFile(this.path(offset))
    this.#offsets = this.#offsets.filter((offset) => !gone.includes(offset))
  }
}
