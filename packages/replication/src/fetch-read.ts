/** One pass over the partitions of a consumer's fetch: checks, limits, reads. */
import { ErrorCode, offset } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { LogReadOutcome } from '@kavka/storage'
import type { CurrentLeader, FetchParameters, FetchPartition, FetchPartitionResult } from './api.ts'
import { judgePosition } from './core/divergence.ts'
import { checkLeaderEpoch, findHosted, hasOtherTopicId } from './partition-lookup.ts'
import type { PartitionDirectory } from './partition-lookup.ts'
import type { Partition } from './partition.ts'

export interface FetchReadDependencies {
  readonly directory: PartitionDirectory
  /** Null: read here. Asked only of leaders, for consumers that may read from followers (KIP-392). */
  readonly preferredReadReplica: (partition: Partition, rack: string, fetchOffset: number) => NodeId | null
}

const NO_RECORDS: readonly Buffer[] = []

type ReadBytes = Pick<LogReadOutcome & { readonly kind: 'read' }, 'records' | 'sizeBytes' | 'memory'>

const NO_RECORD_BYTES: ReadBytes = { records: NO_RECORDS, sizeBytes: 0 }

/**
 * Limits of KIP-74: the first batch of the first partition with data comes whole even when it is too large; after that
 * the limits of partition, request and broker are strict, and what does not fit is left for the next fetch.
 */
export class FetchRead {
  readonly results: FetchPartitionResult[] = []
  readonly #parameters: FetchParameters
  readonly #dependencies: FetchReadDependencies
  #bytesLeft: number
  #sizeBytes = 0
  /** Something in the answer cannot get better by waiting: an error, a divergence, another replica to ask, a full buffer. */
  #isUrgent = false

  constructor(parameters: FetchParameters, bytesMax: number, dependencies: FetchReadDependencies) {
    this.#parameters = parameters
    this.#dependencies = dependencies
    this.#bytesLeft = Math.min(parameters.bytesMax, bytesMax)
  }

  get isSatisfied(): boolean {
    return this.#isUrgent || this.#sizeBytes >= this.#parameters.bytesMin
  }

  /** Reads what remains; a promise only if something has to come from the file. */
  run(): Promise<void> | null {
    const { partitions } = this.#parameters
    while (this.results.length < partitions.length) {
      const wanted = partitions[this.results.length]!
      const next = this.#readPartition(wanted)
      if (next === null) continue
      return next.outcome.then((outcome) => {
        this.#push(this.#asResult(next.partition, wanted, next.visibleEnd, outcome))
        return this.run() ?? undefined
      })
    }
    return null
  }

  #readPartition(wanted: FetchPartition): {
    readonly partition: Partition
    readonly visibleEnd: number
    readonly outcome: Promise<LogReadOutcome>
  } | null {
    const checked = this.#check(wanted)
    if (checked.kind === 'settled') return this.#push(checked.result)
    const { partition, visibleEnd } = checked
    const bytesMax = Math.min(wanted.bytesMax, this.#bytesLeft)
    const isFirst = this.#sizeBytes === 0
    if (wanted.fetchOffset >= visibleEnd || (bytesMax <= 0 && !isFirst)) {
      return this.#push(this.#result(partition, NO_RECORD_BYTES))
    }
    const outcome = partition.log.read({
      startOffset: offset(wanted.fetchOffset),
      endOffsetMax: offset(visibleEnd),
      bytesMax: Math.max(0, bytesMax),
      minimum: isFirst ? 'at-least-one-batch' : 'none',
    })
    if (outcome instanceof Promise) return { partition, visibleEnd, outcome }
    return this.#push(this.#asResult(partition, wanted, visibleEnd, outcome))
  }

  #push(result: FetchPartitionResult): null {
    this.results.push(result)
    this.#bytesLeft -= result.recordsSizeBytes
    this.#sizeBytes += result.recordsSizeBytes
    if (result.errorCode !== ErrorCode.NONE || result.divergingEpoch !== null || result.preferredReadReplica !== null) {
      this.#isUrgent = true
    }
    return null
  }

  #check(
    wanted: FetchPartition,
  ):
    | { readonly kind: 'readable'; readonly partition: Partition; readonly visibleEnd: number }
    | { readonly kind: 'settled'; readonly result: FetchPartitionResult } {
    const found = findHosted(this.#dependencies.directory, wanted.topicPartition)
    if (found.kind === 'error') return settled(failure(found.errorCode, found.currentLeader))
    const { partition } = found
    if (hasOtherTopicId(partition, wanted.topicId)) return settled(failure(ErrorCode.INCONSISTENT_TOPIC_ID, null))
    const fenced = checkLeaderEpoch(partition, wanted.currentLeaderEpoch)
    if (fenced !== null) return settled(failure(fenced.errorCode, fenced.currentLeader))
    if (partition.role !== 'leader' && this.#parameters.followerReads === 'refused') {
      return settled(failure(ErrorCode.NOT_LEADER_OR_FOLLOWER, partition.currentLeader))
    }
    return this.#checkPosition(partition, wanted)
  }

  #checkPosition(
    partition: Partition,
    wanted: FetchPartition,
  ):
    | { readonly kind: 'readable'; readonly partition: Partition; readonly visibleEnd: number }
    | { readonly kind: 'settled'; readonly result: FetchPartitionResult } {
    const preferred = this.#preferred(partition, wanted)
    if (preferred !== null) {
      return settled({ ...this.#result(partition, NO_RECORD_BYTES), preferredReadReplica: preferred })
    }
    const verdict = judgePosition(partition.log, wanted.fetchOffset, wanted.lastFetchedEpoch)
    if (verdict.kind === 'out-of-range') return settled(failure(ErrorCode.OFFSET_OUT_OF_RANGE, null))
    if (verdict.kind === 'diverging') {
      const { epoch, endOffset } = verdict
      return settled({ ...this.#result(partition, NO_RECORD_BYTES), divergingEpoch: { epoch, endOffset } })
    }
    return { kind: 'readable', partition, visibleEnd: partition.visibleEnd(this.#parameters.isolation) }
  }

  #preferred(partition: Partition, wanted: FetchPartition): NodeId | null {
    if (partition.role !== 'leader' || this.#parameters.followerReads === 'refused') return null
    return this.#dependencies.preferredReadReplica(partition, this.#parameters.rack, wanted.fetchOffset)
  }

  #asResult(
    partition: Partition,
    wanted: FetchPartition,
    visibleEnd: number,
    outcome: LogReadOutcome,
  ): FetchPartitionResult {
    if (outcome.kind === 'failed') return failure(outcome.errorCode, null)
    if (outcome.kind === 'offset-out-of-range') return failure(ErrorCode.OFFSET_OUT_OF_RANGE, null)
    // Went offline while the file was read: there is no high watermark to tell any more.
    const offline = offlineFailure(partition)
    if (offline !== null) return offline
    // A limit cut it short: more lies ready, so there is nothing to wait for.
    if (outcome.sizeBytes > 0 && outcome.nextOffset < visibleEnd) this.#isUrgent = true
    const result = this.#result(partition, outcome)
    if (result.abortedTransactions === null || outcome.sizeBytes === 0) return result
    const aborted = partition.log.abortedTransactions(offset(wanted.fetchOffset), outcome.nextOffset)
    // They could not be read: without them the records must not leave.
    return offlineFailure(partition) ?? { ...result, abortedTransactions: aborted }
  }

  #result(partition: Partition, { records, sizeBytes, memory }: ReadBytes): FetchPartitionResult {
    return {
      errorCode: ErrorCode.NONE,
      highWatermark: partition.highWatermark,
      lastStableOffset: partition.visibleEnd('read_committed'),
      logStartOffset: partition.log.logStartOffset,
      divergingEpoch: null,
      abortedTransactions: this.#parameters.isolation === 'read_committed' ? [] : null,
      preferredReadReplica: null,
      records,
      recordsSizeBytes: sizeBytes,
      memory: memory ?? null,
      currentLeader: null,
    }
  }
}

function offlineFailure({ current }: Partition): FetchPartitionResult | null {
  return current.kind === 'offline' ? failure(current.errorCode, null) : null
}

function settled(result: FetchPartitionResult): { readonly kind: 'settled'; readonly result: FetchPartitionResult } {
  return { kind: 'settled', result }
}

function failure(errorCode: number, currentLeader: CurrentLeader | null): FetchPartitionResult {
  return {
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: null,
    abortedTransactions: null,
    preferredReadReplica: null,
    records: NO_RECORDS,
    recordsSizeBytes: 0,
    memory: null,
    currentLeader,
  }
}
