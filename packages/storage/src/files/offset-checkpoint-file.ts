/** An offset checkpoint of a log directory on disk: read once at the start, replaced whole. */
import { failure, replaceFileDurably, success } from '@kavka/kernel'
import type { FileSystem, Result } from '@kavka/kernel'
import { topicPartitionName } from '@kavka/protocol'
import type { Offset } from '@kavka/protocol'
import { formatOffsetCheckpoint, parseOffsetCheckpoint } from './checkpoint-text.ts'
import type { OffsetCheckpointEntry } from './checkpoint-text.ts'

export class OffsetCheckpointFile {
  readonly #path: string
  readonly #fs: FileSystem
  /** Counts replacements, so that a slow one in the background never undoes a later one. */
  #version = 0

  constructor(path: string, dependencies: { readonly fs: FileSystem }) {
    this.#path = path
    this.#fs = dependencies.fs
  }

  /** By `topic-partition`; empty when there is no file. The error is a sentence. */
  read(): Result<ReadonlyMap<string, Offset>, string> {
    if (!this.#fs.exists(this.#path)) return success(new Map())
    const parsed = parseOffsetCheckpoint(this.#fs.readFile(this.#path).toString('utf8'))
    if (!parsed.ok) return failure(`${this.#path} is damaged: ${parsed.error}`)
    return success(new Map(parsed.value.map((entry) => [topicPartitionName(entry.topicPartition), entry.offset])))
  }

  /** On the disk when it returns. */
  replace(entries: readonly OffsetCheckpointEntry[]): void {
    this.#version++
    replaceFileDurably(this.#fs, this.#path, formatOffsetCheckpoint(entries))
  }

  /** Without stalling the event loop: the content is synced before it gets the name; the name follows when the system likes. */
  async replaceInBackground(entries: readonly OffsetCheckpointEntry[]): Promise<void> {
    const version = ++this.#version
    const temporary = `${this.#path}.next.tmp`
    this.#fs.writeFile(temporary, formatOffsetCheckpoint(entries))
    const file = this.#fs.open(temporary, 'read-write')
    try {
      await file.sync()
    } finally {
      file.close()
    }
    if (version === this.#version) this.#fs.rename(temporary, this.#path)
  }
}
