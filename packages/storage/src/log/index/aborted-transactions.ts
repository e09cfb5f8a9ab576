/** The aborted transactions whose marker lies in one segment, in memory and in its `.txnindex`. */
import type { FileSystem } from '@kavka/kernel'
import { bringUpFile, readIfThere, UNKNOWN } from './index-files.ts'
import { encodeAbortedTransactions, readAbortedTransactions, TRANSACTION_INDEX_ENTRY_BYTES } from './transaction-index.ts'
import type { AbortedTransactionEntry } from './transaction-index.ts'

export class AbortedTransactions {
  readonly #fs: FileSystem
  readonly #baseOffset: number
  #entries: AbortedTransactionEntry[] | null = null
  /** Leading bytes of the file that are right. */
  #heldBytes = UNKNOWN
  /** The file holds more than what is right. */
  #mustCut = false

  constructor(options: { readonly baseOffset: number }, dependencies: { readonly fs: FileSystem }) {
    this.#baseOffset = options.baseOffset
    this.#fs = dependencies.fs
  }

  /** Null when the file that tells is damaged; `restore` mends it. */
  entries(path: string): readonly AbortedTransactionEntry[] | null {
    if (this.#entries === null) this.#load(path)
    return this.#entries
  }

  /** Of a new segment: none. */
  clear(): void {
    this.restore([])
  }

  add(entry: AbortedTransactionEntry, path: string): void {
    if (this.#entries === null) this.#load(path)
    if (this.#entries === null) this.restore([])
    this.#entries!.push(entry)
  }

  restore(entries: readonly AbortedTransactionEntry[]): void {
    this.#entries = [...entries]
    this.#heldBytes = UNKNOWN
  }

  /** After a crash: believes the entries below `offset`, which a sync had covered; a replay finds the others again. */
  keepBelow(offset: number, path: string): void {
    const content = offset > this.#baseOffset ? readIfThere(this.#fs, path) : null
    const { entries } = readAbortedTransactions(content ?? Buffer.alloc(0), this.#baseOffset)
    this.#entries = entries
    this.dropFrom(offset, path)
    this.#heldBytes = this.#entries.length * TRANSACTION_INDEX_ENTRY_BYTES
    this.#mustCut = true
  }

  /** Forgets those whose marker lies at or above `offset`. */
  dropFrom(offset: number, path: string): void {
    const entries = this.entries(path) ?? []
    this.#entries = entries.filter((entry) => entry.lastOffset < offset)
    this.#heldBytes = Math.min(this.#heldBytes, this.#entries.length * TRANSACTION_INDEX_ENTRY_BYTES)
    this.#mustCut ||= this.#entries.length < entries.length
  }

  /** Brings the file up to memory; true when it was written. Without entries there is no file. */
  write(path: string): boolean {
    if (this.#entries === null) return false
    const sizeBytes = this.#entries.length * TRANSACTION_INDEX_ENTRY_BYTES
    if (this.#heldBytes === sizeBytes && !this.#mustCut) return false
    if (sizeBytes > 0) bringUpFile(this.#fs, path, encodeAbortedTransactions(this.#entries), this.#heldBytes)
    else if (this.#fs.exists(path)) this.#fs.removeFile(path)
    this.#heldBytes = sizeBytes
    this.#mustCut = false
    return sizeBytes > 0
  }

  #load(path: string): void {
    const content = readIfThere(this.#fs, path)
    const { entries, isWhole } = readAbortedTransactions(content ?? Buffer.alloc(0), this.#baseOffset)
    if (!isWhole) return
    this.#entries = entries
    this.#heldBytes = content?.length ?? 0
  }
}
