/** What goes into one entry of the metadata log, which has a largest size. */
import type { Decision } from '../metadata/decision.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import { ENTRY_BYTES_MAX } from '../raft/messages.ts'

/** As in Kafka. A broker with hundreds of thousands of replicas is fenced in many entries. */
export const RECORDS_PER_PART_MAX = 10_000
/** Estimates are upper bounds; half of the limit leaves room for what else joins the entry. */
export const PART_BYTES_MAX = ENTRY_BYTES_MAX / 2

const RECORD_BYTES = 96
const REPLICA_BYTES = 32
/** A UTF-16 unit takes three bytes of UTF-8 at most. */
const BYTES_PER_CHARACTER = 3

/**
 * The decision's records as they may be spread over entries: all in one unless every prefix of them is safe. Null: too large for one,
 * and it must be one.
 */
export function partsOf({ records, atomicity = 'whole' }: Decision<unknown>): readonly (readonly MetadataRecord[])[] | null {
  if (atomicity === 'whole') return bytesOf(records) > PART_BYTES_MAX ? null : [records]
  const parts: MetadataRecord[][] = []
  let bytes = 0
  for (const record of records) {
    const size = bytesOfOne(record)
    if (size > PART_BYTES_MAX) return null
    const open = parts.at(-1)
    if (open === undefined || open.length === RECORDS_PER_PART_MAX || bytes + size > PART_BYTES_MAX) {
      parts.push([record])
      bytes = size
    } else {
      open.push(record)
      bytes += size
    }
  }
  return parts
}

/** An upper bound of what the codec makes of them. */
export function bytesOf(records: readonly MetadataRecord[]): number {
  let bytes = 0
  for (const record of records) bytes += bytesOfOne(record)
  return bytes
}

function bytesOfOne(record: MetadataRecord): number {
  switch (record.kind) {
    case 'config': {
      const { resourceName, name, value } = record
      return RECORD_BYTES + BYTES_PER_CHARACTER * (resourceName.length + name.length + (value?.length ?? 0))
    }
    case 'topic':
      return RECORD_BYTES + BYTES_PER_CHARACTER * record.name.length
    case 'partition':
      return RECORD_BYTES + 3 * REPLICA_BYTES * record.replicas.length
    case 'partition-change':
      return RECORD_BYTES + partitionChangeBytes(record)
    case 'register-broker':
    case 'register-controller':
      return RECORD_BYTES + BYTES_PER_CHARACTER * JSON.stringify(record).length
    case 'broker-change':
      return RECORD_BYTES + REPLICA_BYTES * (record.logDirs?.length ?? 0)
    case 'feature-level':
      return RECORD_BYTES + BYTES_PER_CHARACTER * record.name.length
    case 'no-op':
    case 'producer-ids':
    case 'remove-topic':
    case 'unregister-broker':
      return RECORD_BYTES
  }
}

function partitionChangeBytes(record: MetadataRecord & { readonly kind: 'partition-change' }): number {
  const { isr, elr, lastKnownElr, replicas, directories, addingReplicas, removingReplicas } = record
  let ids = 0
  for (const list of [isr, elr, lastKnownElr, replicas, directories, addingReplicas, removingReplicas]) ids += list?.length ?? 0
  return REPLICA_BYTES * ids
}
