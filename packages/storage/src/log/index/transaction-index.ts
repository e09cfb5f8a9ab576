/** The `.txnindex` of a segment: aborted transactions whose ABORT marker lies in it, ascending in the marker's offset (KIP-98). */
import { int64At, writeInt64At } from '@kavka/protocol'

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
    writeInt64At(buffer, at + 2, entry.producerId)
    writeInt64At(buffer, at + 10, entry.firstOffset)
    writeInt64At(buffer, at + 18, entry.lastOffset)
    writeInt64At(buffer, at + 26, entry.lastStableOffset)
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
      producerId: int64At(content, at + 2),
      firstOffset: int64At(content, at + 10),
      lastOffset: int64At(content, at + 18),
      lastStableOffset: int64At(content, at + 26),
    }
    const previous = entries.at(-1)?.lastOffset ?? baseOffset - 1
    if (content.readInt16BE(at) !== VERSION || entry.lastOffset <= previous || entry.firstOffset > entry.lastOffset) break
    entries.push(entry)
  }
  return { entries, isWhole: entries.length * TRANSACTION_INDEX_ENTRY_BYTES === content.length }
}
