/** Names of files and directories of a partition log. */
import type { TopicPartition } from '../ids.ts'

const OFFSET_DIGITS = 20
const EPOCH_DIGITS = 10
const SUFFIXED = /^(\S+)-(\S+)\.(\S+)-(?:delete|future|stray)$/
const PARTITION = /^\d+$/

/** 20 digits: the beginning of a segment's file names. Takes a bigint for tools that read what no log has. */
export function offsetFilePrefix(offset: number | bigint): string {
  return String(offset).padStart(OFFSET_DIGITS, '0')
}

/** The name of a metadata snapshot: `00000000000000000042-0000000007.checkpoint`. */
export function snapshotFileName(endOffset: number | bigint, epoch: number): string {
  return `${offsetFilePrefix(endOffset)}-${String(epoch).padStart(EPOCH_DIGITS, '0')}.checkpoint`
}

/**
 * The partition that a log directory belongs to, also one marked `-delete`, `-future` or `-stray`; null when
 * it is none.
 */
export function parseLogDirectoryName(name: string): TopicPartition | null {
  const marked = /-(?:delete|future|stray)$/.test(name)
  if (marked && !SUFFIXED.test(name)) return null
  const base = marked ? name.slice(0, name.lastIndexOf('.')) : name
  const dash = base.lastIndexOf('-')
  const partition = base.slice(dash + 1)
  if (dash <= 0 || !PARTITION.test(partition)) return null
  return { topic: base.slice(0, dash), partition: Number(partition) }
}
