/** Appends of clients and coordinators, and their wait for durability. */
import type { Scheduler } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import type { AppendEntry, AppendRequest, AppendResult, CurrentLeader } from '../api.ts'
import { Purgatory } from '../core/purgatory.ts'
import { findLed, hasOtherTopicId } from './partition-lookup.ts'
import type { PartitionDirectory } from './partition-lookup.ts'
import type { Partition } from '../partition/partition.ts'
import { PendingRequest } from './pending-request.ts'
import { PurgatoryTimer } from './purgatory-timer.ts'

export interface ProducePathOptions {
  /** Bound of the purgatory: beyond it produces with acks=all or 1 are refused before they are appended. */
  readonly parkedMax: number
}

const NO_RECORD_ERRORS: AppendResult['recordErrors'] = []

export class ProducePath {
  readonly purgatory: Purgatory
  readonly #timer: PurgatoryTimer
  readonly #directory: PartitionDirectory

  constructor(
    options: ProducePathOptions,
    dependencies: { readonly directory: PartitionDirectory; readonly scheduler: Scheduler },
  ) {
    this.purgatory = new Purgatory(options)
    this.#timer = new PurgatoryTimer(this.purgatory, dependencies)
    this.#directory = dependencies.directory
  }

  append(request: AppendRequest): Promise<readonly AppendResult[]> {
    const results: AppendResult[] = []
    return new Promise((resolve) => {
      const pending: PendingRequest = new PendingRequest(
        { timeoutCode: ErrorCode.REQUEST_TIMED_OUT },
        {
          settle: (index, errorCode, leader) => {
            if (errorCode !== ErrorCode.NONE) results[index] = refusal(errorCode, messageOf(errorCode), leader)
          },
          complete: () => {
            this.purgatory.release(pending)
            resolve(results)
          },
        },
      )
      for (const entry of request.entries) results.push(this.#appendEntry(request, entry, results.length, pending))
      if (pending.isWaiting) this.#timer.park(pending, request.timeoutMs)
      else resolve(results)
    })
  }

  stop(): void {
    this.#timer.stop()
  }

  #appendEntry(request: AppendRequest, entry: AppendEntry, index: number, pending: PendingRequest): AppendResult {
    const found = findLed(this.#directory, entry.topicPartition)
    if (found.kind === 'error') return refusal(found.errorCode, null, found.currentLeader)
    const { partition, state } = found
    if (hasOtherTopicId(partition, entry.topicId)) return refusal(ErrorCode.UNKNOWN_TOPIC_ID, null, null)
    if (request.acks === -1 && state.isUnderMinIsr) {
      return refusal(ErrorCode.NOT_ENOUGH_REPLICAS, messageOf(ErrorCode.NOT_ENOUGH_REPLICAS), null)
    }
    if (request.acks !== 0 && this.purgatory.isFull) {
      return refusal(ErrorCode.NOT_ENOUGH_REPLICAS, 'Too many requests wait for their replicas already.', null)
    }
    return this.#write(request, entry, partition, index, pending)
  }

  #write(
    request: AppendRequest,
    entry: AppendEntry,
    partition: Partition,
    index: number,
    pending: PendingRequest,
  ): AppendResult {
    const outcome = partition.appendAsLeader(entry.records, request.origin, request.transactionVersion)
    if (outcome.kind === 'refused') {
      return { ...refusal(outcome.errorCode, outcome.message, null), recordErrors: outcome.recordErrors }
    }
    const endOffset = outcome.lastOffset + 1
    this.#wait(request.acks, partition, endOffset, index, pending)
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      baseOffset: outcome.firstOffset,
      endOffset,
      logAppendTimeMs: outcome.logAppendTimeMs,
      logStartOffset: outcome.logStartOffset,
      recordErrors: NO_RECORD_ERRORS,
      currentLeader: null,
    }
  }

  #wait(acks: -1 | 0 | 1, partition: Partition, endOffset: number, index: number, pending: PendingRequest): void {
    if (acks === 0) return
    if (acks === 1) {
      if (partition.log.durableEndOffset >= endOffset) return
      partition.waiters.durable.add(pending.waitFor(index, endOffset))
    } else if (partition.highWatermark < endOffset) {
      partition.waiters.committed.add(pending.waitFor(index, endOffset))
    }
  }
}

function refusal(errorCode: number, errorMessage: string | null, currentLeader: CurrentLeader | null): AppendResult {
  return {
    errorCode,
    errorMessage,
    baseOffset: -1,
    endOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: NO_RECORD_ERRORS,
    currentLeader,
  }
}

function messageOf(errorCode: number): string | null {
  switch (errorCode) {
    case ErrorCode.NOT_ENOUGH_REPLICAS:
      return 'The in-sync replicas are fewer than min.insync.replicas; nothing was written.'
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      return 'Written, but the in-sync replicas have become fewer than min.insync.replicas.'
    case ErrorCode.REQUEST_TIMED_OUT:
      return 'Written, but not acknowledged by its replicas in time.'
    default:
      return null
  }
}
