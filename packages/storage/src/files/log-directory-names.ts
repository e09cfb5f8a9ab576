/** Names in a log directory: `<topic>-<partition>`, with a unique infix and a suffix while a partition is on its way out. */
import type { TopicPartition, Uuid } from '@kavka/protocol'

export type PartitionDirectory =
  | { readonly kind: 'partition'; readonly topicPartition: TopicPartition }
  | { readonly kind: 'delete' | 'stray' | 'future' }

const NAME_BYTES_MAX = 255
const LEAVING = /^(.+)-(\d+)\.([0-9a-f]{32})-(delete|stray|future)$/
const PRESENT = /^(.+)-(\d+)$/

/** Null for names that are no partition directory. The topic may contain dashes: the partition follows the last one. */
export function parsePartitionDirectory(name: string): PartitionDirectory | null {
  const leaving = LEAVING.exec(name)
  if (leaving !== null) return { kind: leaving[4] as 'delete' | 'stray' | 'future' }
  const present = PRESENT.exec(name)
  if (present === null) return null
  const partition = Number(present[2])
  if (partition > 0x7fff_ffff || String(partition) !== present[2]) return null
  return { kind: 'partition', topicPartition: { topic: present[1]!, partition } }
}

/** The topic part is cut so that the name fits the file system; `uniqueHex` keeps cut names apart. */
export function leavingDirectoryName(topicPartition: TopicPartition, uniqueHex: string, suffix: 'delete' | 'stray'): string {
  const tail = `-${topicPartition.partition}.${uniqueHex}-${suffix}`
  return `${topicPartition.topic.slice(0, NAME_BYTES_MAX - tail.length)}${tail}`
}

const FILE_OFFSET_DIGITS = 20

/** File prefix of a segment or snapshot: 20 decimal digits. */
export function offsetFileName(offset: number, suffix: SegmentSuffix): string {
  return `${String(offset).padStart(FILE_OFFSET_DIGITS, '0')}${suffix}`
}

export type SegmentSuffix = '.log' | '.index' | '.timeindex' | '.txnindex' | '.snapshot'

export interface SegmentFile {
  readonly offset: number
  readonly suffix: SegmentSuffix
  readonly state: '' | '.deleted' | '.cleaned' | '.swap'
}

/** A start asks for the same names again and again: thousands of partitions have a segment that begins at 0. */
const parsedNames = new Map<string, SegmentFile | null>()
const PARSED_NAMES_MAX = 1_024

/** `00000000000000000042.index.deleted` → offset 42, `.index`, `.deleted`; null for other files. */
export function parseSegmentFile(name: string): SegmentFile | null {
  const known = parsedNames.get(name)
  if (known !== undefined) return known
  if (parsedNames.size === PARSED_NAMES_MAX) parsedNames.clear()
  const parsed = parse(name)
  parsedNames.set(name, parsed)
  return parsed
}

function parse(name: string): SegmentFile | null {
  const match = /^(\d{20})(\.log|\.index|\.timeindex|\.txnindex|\.snapshot)(\.deleted|\.cleaned|\.swap|)$/.exec(name)
  if (match === null || !Number.isSafeInteger(Number(match[1]))) return null
  return { offset: Number(match[1]), suffix: match[2] as SegmentSuffix, state: match[3] as '' | '.deleted' | '.cleaned' | '.swap' }
}

/** 16 bytes as a uuid text; never starting with a dash, which command lines would take for an option. */
export function uuidText(bytes: Uint8Array): Uuid {
  const text = Buffer.from(bytes).toString('base64url')
  return (text.startsWith('-') ? `A${text.slice(1)}` : text) as Uuid
}
