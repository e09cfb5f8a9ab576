import { failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import { batchCodecId } from './batch-layout.ts'
import { batchStep } from './batch-walk.ts'
import type { BatchStep } from './batch-walk.ts'
import { codecId, codecOfId } from './compression/codec.ts'
import { invalid, undecodable, unsupportedCompression } from './record-fault.ts'
import type { RecordFault } from './record-fault.ts'

/** Produce requests below this version may not carry zstd (KIP-110). */
const ZSTD_PRODUCE_VERSION = 7

/**
 * The checks that Kafka makes of a partition's records before the log sees them: exactly one batch, of magic
 * 2, in a
 * codec that the request's version has. Returns the bytes of that batch; a few bytes behind it are no batch
 * and are dropped.
 */
export function checkProduceRecords(records: Buffer, version: number): Result<Buffer, RecordFault> {
  const prefix = `Produce requests with version ${version}`
  const first = stepAt(records, 0)
  if (first?.kind === 'corrupt') return failure(first.fault)
  if (first?.kind !== 'complete')
    return failure(invalid(`${prefix} must have at least one record batch per partition`))
  if (first.magic !== 2)
    return failure(invalid(`${prefix} are only allowed to contain record batches with magic version 2`))
  const codecFault = version < ZSTD_PRODUCE_VERSION ? oldCodecFault(batchCodecId(records, 0), prefix) : null
  if (codecFault !== null) return failure(codecFault)
  const second = stepAt(records, first.sizeBytes)
  if (second?.kind === 'corrupt') return failure(second.fault)
  if (second?.kind === 'complete')
    return failure(invalid(`${prefix} are only allowed to contain exactly one record batch per partition`))
  return success(records.length === first.sizeBytes ? records : records.subarray(0, first.sizeBytes))
}

function stepAt(records: Buffer, at: number): BatchStep | null {
  return at < records.length ? batchStep(records, at, records.length) : null
}

function oldCodecFault(id: number, prefix: string): RecordFault | null {
  if (codecOfId(id) === null) return undecodable(`Unknown compression type id: ${id}`)
  return id === codecId('zstd')
    ? unsupportedCompression(`${prefix} are not allowed to use ZStandard compression`)
    : null
}
