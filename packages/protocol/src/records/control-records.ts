/**
 * Control batches: transaction markers and the records that Raft keeps for itself; consumers never see them.
 */
import { controlRecordTypeSchemaCodec } from '../gen/raft.ts'
import { endTxnMarkerCodec } from '../gen/transactions.ts'
import { DecodeError } from '../wire/errors.ts'
import { Reader } from '../wire/reader.ts'
import { Writer } from '../wire/writer.ts'
import { buildBatch } from './build-batch.ts'
import type { BatchOptions } from './build-batch.ts'
import type { LogRecord } from './record.ts'

/** The second int16 of a control record's key. */
export const ControlRecordType = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const

export type ControlRecordType = (typeof ControlRecordType)[keyof typeof ControlRecordType]

const KEY_VERSION = 0
const MARKER_VERSION = 0

/** What a control record says; types that do not exist yet must be skipped. */
export type ControlRecord =
  | {
      readonly kind: 'end-transaction'
      readonly outcome: 'commit' | 'abort'
      readonly coordinatorEpoch: number
    }
  | { readonly kind: 'raft'; readonly type: ControlRecordType; readonly value: Buffer }
  | { readonly kind: 'unknown'; readonly type: number }

/**
 * Reads a record of a control batch; throws DecodeError for one whose key or value is not as the type wants
 * it.
 */
export function readControlRecord(record: Pick<LogRecord, 'key' | 'value'>): ControlRecord {
  const type = controlTypeOf(record.key)
  if (type === ControlRecordType.ABORT || type === ControlRecordType.COMMIT) {
    const coordinatorEpoch = markerEpoch(record.value)
    return {
      kind: 'end-transaction',
      outcome: type === ControlRecordType.COMMIT ? 'commit' : 'abort',
      coordinatorEpoch,
    }
  }
  if (type < 0 || type > ControlRecordType.KRAFT_VOTERS) return { kind: 'unknown', type }
  if (record.value === null) throw new DecodeError('no value', { message: 'control record', offset: 0 })
  return { kind: 'raft', type: type as ControlRecordType, value: record.value }
}

/** Later key versions may only append, so that the type can always be read. */
function controlTypeOf(key: Buffer | null): number {
  if (key === null || key.length < 4)
    throw new DecodeError('key too short', { message: 'control record', offset: 0 })
  if (key.readInt16BE(0) < 0)
    throw new DecodeError('invalid key version', { message: 'control record', offset: 0 })
  return key.readInt16BE(2)
}

function markerEpoch(value: Buffer | null): number {
  if (value === null) throw new DecodeError('no value', { message: 'EndTxnMarker', offset: 0 })
  const reader = new Reader(value)
  const version = reader.int16()
  if (version < 0) reader.fail(`invalid version ${version}`)
  return endTxnMarkerCodec.decode(reader, MARKER_VERSION).coordinatorEpoch
}

/** The key of a control record of the type. */
export function controlRecordKey(type: ControlRecordType): Buffer {
  const writer = new Writer(4)
  writer.int16(KEY_VERSION)
  controlRecordTypeSchemaCodec.encode(writer, { type }, 0)
  return writer.toBuffer()
}

/** The end of a transaction in one partition. */
export interface EndTransactionMarker {
  readonly outcome: 'commit' | 'abort'
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly timestamp: number
  readonly baseOffset?: number
  readonly partitionLeaderEpoch?: number
}

/** The batch of one marker: transactional and control, without a sequence. */
export function buildEndTransactionMarker(marker: EndTransactionMarker): Buffer {
  const {
    outcome,
    producerId,
    producerEpoch,
    coordinatorEpoch,
    timestamp,
    baseOffset = 0,
    partitionLeaderEpoch = -1,
  } = marker
  const writer = new Writer(8)
  writer.int16(MARKER_VERSION)
  endTxnMarkerCodec.encode(writer, { coordinatorEpoch }, MARKER_VERSION)
  const key = controlRecordKey(outcome === 'commit' ? ControlRecordType.COMMIT : ControlRecordType.ABORT)
  return buildBatch([{ timestamp, key, value: writer.toBuffer() }], {
    baseOffset,
    partitionLeaderEpoch,
    producerId,
    producerEpoch,
    transactional: true,
    control: true,
  })
}

/**
 * A control batch of Raft's own records (leader change, snapshot header and footer, KRaft version, voters).
 */
export function buildRaftControlBatch(
  records: readonly {
    readonly type: ControlRecordType
    readonly value: Buffer
    readonly timestamp: number
  }[],
  options: Pick<BatchOptions, 'baseOffset' | 'partitionLeaderEpoch'>,
): Buffer {
  const written = records.map(({ type, value, timestamp }) => ({
    timestamp,
    key: controlRecordKey(type),
    value,
  }))
  return buildBatch(written, { ...options, control: true })
}
