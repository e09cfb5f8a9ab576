/** An offset checkpoint of a log directory on disk: read once at the start, replaced whole. */
import { failure, success } from '@kavka/kernel'
import type { FileSystem, Result } from '@kavka/kernel'
import { topicPartitionName } from '@kavka/protocol'
import type { Offset } from '@kavka/protocol'
import { formatOffsetCheckpoint, parseOffsetCheckpoint } from './checkpoint-text.ts'
import type { OffsetCheckpointEntry } from './checkpoint-text.ts'
import { ReplacedFile } from './replaced-file.ts'

export class OffsetCheckpointFile {
  readonly #fs: FileSystem
  readonly #file: ReplacedFile

  constructor(path: string, dependencies: { readonly fs: FileSystem }) {
    this.#fs = dependencies.fs
    this.#file = new ReplacedFile(path, dependencies)
  }

  /** By `topic-partition`; empty when there is no file. The error is a sentence. */
  read(): Result<ReadonlyMap<string, Offset>, string> {
    const { path } = this.#file
    if (!this.#fs.exists(path)) return success(new Map())
    const parsed = parseOffsetCheckpoint(this.#fs.readFile(path).toString('utf8'))
    if (!parsed.ok) return failure(`${path} is damaged: ${parsed.error}`)
    return success(new Map(parsed.value.map((entry) => [topicPartitionName(entry.topicPartition), entry.offset])))
  }

  /** On the disk when it returns. */
  replace(entries: readonly OffsetCheckpointEntry[]): void {
    this.#file.replace(formatOffsetCheckpoint(entries))
  }

  /** Off the event loop; an unchanged file is left alone. */
  replaceInBackground(entries: readonly OffsetCheckpointEntry[]): Promise<void> {
    return this.#file.replaceInBackground(formatOffsetCheckpoint(entries))
  }
}
