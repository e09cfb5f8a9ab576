/** DeleteRecords: raises the log start of led partitions and waits until every live replica has followed. */
import type { Scheduler } from '@kavka/kernel'
import { ErrorCode, offset } from '@kavka/protocol'
import type { TopicPartition } from '@kavka/protocol'
import { Purgatory } from '../core/purgatory.ts'
import type { LeaderState } from '../core/leader-state.ts'
import { findLed } from './partition-lookup.ts'
import type { PartitionDirectory } from './partition-lookup.ts'
import type { Partition } from '../partition/partition.ts'
import { PendingRequest } from './pending-request.ts'
import { PurgatoryTimer } from './purgatory-timer.ts'

export interface DeleteRecordsEntry {
  readonly topicPartition: TopicPartition
  /** -1: everything committed. */
  readonly offset: number
}

export interface DeleteRecordsResult {
  readonly errorCode: number
  /** Below it no replica holds anything; -1 when refused. */
  readonly lowWatermark: number
}

type Deletion =
  | { readonly kind: 'deleted'; readonly errorCode: number; readonly partition: Partition; readonly offset: number }
  | { readonly kind: 'refused'; readonly errorCode: number }

export class DeleteRecordsPath {
  readonly purgatory: Purgatory
  readonly #timer: PurgatoryTimer
  readonly #directory: PartitionDirectory

  constructor(
    options: { readonly parkedMax: number },
    dependencies: { readonly directory: PartitionDirectory; readonly scheduler: Scheduler },
  ) {
    this.purgatory = new Purgatory(options)
    this.#timer = new PurgatoryTimer(this.purgatory, dependencies)
    this.#directory = dependencies.directory
  }

  delete(entries: readonly DeleteRecordsEntry[], timeoutMs: number): Promise<readonly DeleteRecordsResult[]> {
    const results: DeleteRecordsResult[] = []
    const waiting: (Partition | null)[] = []
    return new Promise((resolve) => {
      const pending: PendingRequest = new PendingRequest(
        { timeoutCode: ErrorCode.REQUEST_TIMED_OUT },
        {
          settle: (index, errorCode) => {
            results[index] = { errorCode, lowWatermark: lowWatermarkFor(waiting[index]!, errorCode) }
          },
          complete: () => {
            this.purgatory.release(pending)
            resolve(results)
          },
        },
      )
      for (const entry of entries) {
        const outcome = this.#deleteEntry(entry)
        waiting.push(outcome.kind === 'deleted' ? outcome.partition : null)
        const { errorCode } = outcome
        results.push({ errorCode, lowWatermark: outcome.kind === 'deleted' ? outcome.partition.lowWatermark : -1 })
        if (outcome.kind === 'deleted' && outcome.partition.lowWatermark < outcome.offset) {
          const waiter = pending.waitFor(results.length - 1, outcome.offset)
          outcome.partition.waiters.deleted.add(waiter)
        }
      }
      if (!pending.isWaiting) resolve(results)
      else if (this.purgatory.isFull) pending.expire()
      else this.#timer.park(pending, timeoutMs)
    })
  }

  stop(): void {
    this.#timer.stop()
  }

  #deleteEntry(entry: DeleteRecordsEntry): Deletion {
    const found = findLed(this.#directory, entry.topicPartition)
    if (found.kind === 'error') return refusal(found.errorCode)
    const { partition, state } = found
    const problem = problemWith(partition, state, entry.offset)
    if (problem !== null) return refusal(problem)
    const target = entry.offset === -1 ? state.highWatermark : offset(entry.offset)
    partition.deleteRecordsBefore(target)
    return { kind: 'deleted', errorCode: ErrorCode.NONE, partition, offset: target }
  }
}

function problemWith(partition: Partition, state: LeaderState, wanted: number): number | null {
  if (!partition.log.config.cleanupPolicy.includes('delete')) return ErrorCode.POLICY_VIOLATION
  if (wanted < -1 || wanted > state.highWatermark) return ErrorCode.OFFSET_OUT_OF_RANGE
  return null
}

/** A result keeps the low watermark reached when only the time ran out. */
function lowWatermarkFor(partition: Partition, errorCode: number): number {
  return errorCode === ErrorCode.NONE || errorCode === ErrorCode.REQUEST_TIMED_OUT ? partition.lowWatermark : -1
}

function refusal(errorCode: number): Deletion {
  return { kind: 'refused', errorCode }
}
