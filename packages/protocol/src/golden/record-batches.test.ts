import {
  batchCodecId,
  batchDeleteHorizonMs,
  batchesIn,
  batchFault,
  batchHasUnsafeInt64,
  batchIsControl,
  batchIsTransactional,
  batchLastOffset,
  batchLastSequence,
  batchTimestampType,
  buildBatch,
  codecOfId,
  readBatchHeader,
  readControlRecord,
  recordsOf,
} from '../index.ts'
import type { BatchOptions, LogRecord, RecordToWrite } from '../index.ts'
import { goldenLines } from './load-golden.ts'

interface GoldenRecord {
  readonly offset: number
  readonly timestamp: number
  readonly sequence?: number
  readonly key: string | null
  readonly value: string | null
  readonly headers?: readonly (readonly [string, string | null])[]
  readonly control?: { readonly type: string; readonly typeId: number; readonly coordinatorEpoch?: number }
}

interface GoldenBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly sizeInBytes: number
  readonly magic: number
  readonly crc: number
  readonly crcValid: boolean
  readonly compression: string
  readonly timestampType: string
  readonly lastSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly deleteHorizonMs?: number | null
  readonly raw?: Record<string, number>
  readonly records?: readonly GoldenRecord[]
  readonly recordsSameAs?: string
}

interface GoldenBatches {
  readonly case: string
  readonly hex: string
  readonly batches: readonly GoldenBatch[]
}

const BEYOND_SAFE = 'v2-beyond-2^53'
const golden = goldenLines<GoldenBatches>('record-batches.jsonl')
const byCase = new Map(golden.map((one) => [one.case, one]))

function goldenRecords(batch: GoldenBatch): readonly GoldenRecord[] {
  return batch.records ?? byCase.get(batch.recordsSameAs!)!.batches[0]!.records!
}

function plain(record: LogRecord): GoldenRecord {
  const { offset, timestamp, sequence, key, value, headers } = record
  return {
    offset,
    timestamp,
    ...(sequence < 0 ? {} : { sequence }),
    key: key?.toString('hex') ?? null,
    value: value?.toString('hex') ?? null,
    ...(headers.length === 0
      ? {}
      : { headers: headers.map((one) => [one.key, one.value?.toString('hex') ?? null] as const) }),
  }
}

function withoutControl({ control: _control, ...record }: GoldenRecord): GoldenRecord {
  return record
}

function read(buffer: Buffer, at: number): readonly LogRecord[] {
  const records = recordsOf(buffer, at)
  if (!records.ok) throw new Error(records.error.message)
  return records.value
}

function derived(buffer: Buffer, at: number): object {
  return {
    lastOffset: batchLastOffset(buffer, at),
    compression: codecOfId(batchCodecId(buffer, at)),
    timestampType: batchTimestampType(buffer, at),
    lastSequence: batchLastSequence(buffer, at),
    isTransactional: batchIsTransactional(buffer, at),
    isControl: batchIsControl(buffer, at),
    deleteHorizonMs: batchDeleteHorizonMs(buffer, at),
  }
}

function goldenDerived(batch: GoldenBatch): object {
  const {
    lastOffset,
    compression,
    timestampType,
    lastSequence,
    isTransactional,
    isControl,
    deleteHorizonMs,
  } = batch
  return { lastOffset, compression, timestampType, lastSequence, isTransactional, isControl, deleteHorizonMs }
}

/** The options with which the batch can be built again. */
function rebuildOptions(buffer: Buffer, at: number): BatchOptions {
  const header = readBatchHeader(buffer, at)
  const horizon = batchDeleteHorizonMs(buffer, at)
  return {
    baseOffset: header.baseOffset,
    partitionLeaderEpoch: header.partitionLeaderEpoch,
    compression: codecOfId(batchCodecId(buffer, at))!,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    transactional: batchIsTransactional(buffer, at),
    control: batchIsControl(buffer, at),
    lastOffsetDelta: header.lastOffsetDelta,
    maxTimestamp: header.maxTimestamp,
    ...(batchTimestampType(buffer, at) === 'LogAppendTime' ? { logAppendTime: header.maxTimestamp } : {}),
    ...(horizon === null ? {} : { deleteHorizonMs: horizon }),
  }
}

describe.each(golden)('$case', ({ case: name, hex, batches }) => {
  const buffer = Buffer.from(hex, 'hex')
  const complete = [...batchesIn(buffer)].filter((step) => step.kind === 'complete')

  test('is walked', () => {
    expect(complete.map((step) => step.sizeBytes)).toEqual(batches.map((batch) => batch.sizeInBytes))
    expect(complete.map((step) => step.magic)).toEqual(batches.map((batch) => batch.magic))
    expect(complete.map((step) => batchFault(buffer, step.at) === null)).toEqual(
      batches.map((batch) => batch.crcValid),
    )
  })

  test('has the stated header and records', () => {
    for (const [index, { at, magic }] of complete.entries()) {
      const batch = batches[index]!
      if (name === BEYOND_SAFE) {
        expect(batchHasUnsafeInt64(buffer, at)).toBe(true)
        continue
      }
      if (magic === 2) {
        expect(batchHasUnsafeInt64(buffer, at)).toBe(false)
        expect(readBatchHeader(buffer, at)).toEqual({ ...batch.raw, magic: 2, crc: batch.crc })
        expect(derived(buffer, at)).toEqual(goldenDerived(batch))
      }
      expect(read(buffer, at).map(plain)).toEqual(goldenRecords(batch).map(withoutControl))
    }
  })

  test('is built again, byte for byte where nothing is compressed', () => {
    for (const { at, sizeBytes, magic } of complete) {
      if (magic !== 2 || name === BEYOND_SAFE) continue
      const options = rebuildOptions(buffer, at)
      const records = read(buffer, at)
      const base = readBatchHeader(buffer, at).baseOffset
      // Own timestamps of records in a LogAppendTime batch cannot be read back: its timestamps are compared
      // only.
      const written: RecordToWrite[] = records.map((record) => ({
        ...record,
        offsetDelta: record.offset - base,
      }))
      const rebuilt = buildBatch(written, options)
      expect(batchFault(rebuilt, 0)).toBeNull()
      expect(read(rebuilt, 0)).toEqual(records)
      const sameBytes =
        options.compression === 'none' && options.logAppendTime === undefined && records.length > 0
      if (
        sameBytes &&
        readBatchHeader(buffer, at).baseTimestamp === readBatchHeader(rebuilt, 0).baseTimestamp
      ) {
        expect(rebuilt.toString('hex')).toBe(buffer.subarray(at, at + sizeBytes).toString('hex'))
      }
    }
  })
})

test('control records say what Kafka says', () => {
  const said = golden.flatMap(({ hex, batches }) => {
    const buffer = Buffer.from(hex, 'hex')
    return batches
      .filter((batch) => batch.isControl === true)
      .flatMap((batch) => batch.records!.map((record) => ({ control: record.control!, record, buffer })))
  })
  expect(said.length).toBeGreaterThanOrEqual(8)
  for (const { control, record } of said) {
    const key = Buffer.from(record.key!, 'hex')
    const read = readControlRecord({ key, value: Buffer.from(record.value!, 'hex') })
    if (control.typeId > 1) expect(read).toMatchObject({ kind: 'raft', type: control.typeId })
    else {
      const outcome = control.type === 'COMMIT' ? 'commit' : 'abort'
      expect(read).toEqual({ kind: 'end-transaction', outcome, coordinatorEpoch: control.coordinatorEpoch })
    }
  }
})

test('there are 87 buffers', () => expect(golden).toHaveLength(87))
