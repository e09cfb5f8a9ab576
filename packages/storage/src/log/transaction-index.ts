/** The `.txnindex` of a segment: aborted transactions whose ABORT marker lies in it, ascending in the marker's offset (KIP-98). */
import { readInt64, writeInt64 } from './int64.ts'

export const TRANSACTION_INDEX_ENTRY_BYTES = 34
const VERSION = 0

export interface AbortedTransactionEntry {
  readonly producerId: number
  /** First data offset of the transaction in this partition. */
  readonly firstOffset: number
  /** Offset of the marker. */
  readonly lastOffset: number
  /** Start of the earliest other transaction open at the marker, else the offset after it. */
  readonly lastStableOffset: number
}

export function encodeAbortedTransactions(entries: readonly AbortedTransactionEntry[]): Buffer {
  const buffer = Buffer.alloc(entries.length * TRANSACTION_INDEX_ENTRY_BYTES)
  entries.forEach((entry, index) => {
    const at = index * TRANSACTION_INDEX_ENTRY_BYTES
    buffer.writeInt16BE(VERSION, at)
    writeInt64(buffer, entry.producerId, at + 2)
    writeInt64(buffer, entry.firstOffset, at + 10)
    writeInt64(buffer, entry.lastOffset, at + 18)
    writeInt64(buffer, entry.lastStableOffset, at + 26)
  })
  return buffer
}

/** The leading entries that can belong to a segment that starts at `baseOffset`, and whether they are all there is. */
export function readAbortedTransactions(
  content: Buffer,
  baseOffset: number,
): { readonly entries: AbortedTransactionEntry[]; readonly isWhole: boolean } {
  const entries: AbortedTransactionEntry[] = []
  for (let at = 0; at + TRANSACTION_INDEX_ENTRY_BYTES <= content.length; at += TRANSACTION_INDEX_ENTRY_BYTES) {
    const entry = {
      producerId: readInt64(content, at + 2),
      firstOffset: readInt64(content, at + 10),
      lastOffset: readInt64(content, at + 18),
      lastStableOffset: readInt64(content, at + 26),
    }
    const previous = entries.at(-1)?.lastOffset ?? baseOffset - 1
    if (content.readInt16BE(at) !== VERSION || entry.lastOffset <= previous || entry.firstOffset > entry.lastOffset) break
    entries.push(entry)
  }
  return { entries, isWhole: entries.length * TRANSACTION_INDEX_ENTRY_BYTES === content.length }
}
