/** One pass over the partitions of a consumer's fetch: checks, limits, reads. */
import { ErrorCode, offset } from '@kavka/protocol'
import type { NodeId, Offset } from '@kavka/protocol'
import type { LogReadOutcome } from '@kavka/storage'
import type { CurrentLeader, FetchParameters, FetchPartition, FetchPartitionResult } from '../api.ts'
import { judgePosition } from '../core/divergence.ts'
import { FetchReadAhead, giveBack, READS_AHEAD_MAX } from './fetch-read-ahead.ts'
import { checkLeaderEpoch, findHosted, hasOtherTopicId } from './partition-lookup.ts'
import type { PartitionDirectory } from './partition-lookup.ts'
import type { Partition } from '../partition/partition.ts'

export interface FetchReadDependencies {
  readonly directory: PartitionDirectory
  /** Null: read here. Asked only of leaders, for consumers that may read from followers (KIP-392). */
  readonly preferredReadReplica: (partition: Partition, rack: string, fetchOffset: number) => NodeId | null
}

const NO_RECORDS: readonly Buffer[] = []

type ReadBytes = Pick<LogReadOutcome & { readonly kind: 'read' }, 'records' | 'sizeBytes' | 'memory'>

const NO_RECORD_BYTES: ReadBytes = { records: NO_RECORDS, sizeBytes: 0 }

interface Readable {
  readonly kind: 'readable'
  readonly partition: Partition
  readonly visibleEnd: number
}

interface Settled {
  readonly kind: 'settled'
  readonly result: FetchPartitionResult
}

/** A read of a file, and of what. */
interface ReadUnderWay {
  readonly partition: Partition
  readonly visibleEnd: number
  readonly outcome: Promise<LogReadOutcome>
}

/**
 * Limits of KIP-74: the first batch of the first partition with data comes whole even when it is too large; after that
 * the limits of partition, request and broker are strict, and what does not fit is left for the next fetch.
 */
export class FetchRead {
  readonly results: FetchPartitionResult[] = []
  readonly #parameters: FetchParameters
  readonly #dependencies: FetchReadDependencies
  readonly #ahead = new FetchReadAhead()
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
      this.#readAhead()
      return next.outcome.then((outcome) => {
        this.#push(this.#asResult(next.partition, wanted, next.visibleEnd, outcome))
        return this.run() ?? undefined
      })
    }
    return null
  }

  #readPartition(wanted: FetchPartition): ReadUnderWay | null {
    const checked = this.#check(wanted)
    const ahead = this.#ahead.take(this.results.length, checked.kind === 'settled' ? null : checked.partition)
    if (checked.kind === 'settled') return this.#push(checked.result)
    const { partition, visibleEnd } = checked
    const outcome = ahead === null ? this.#readNow(checked, wanted) : this.#unlessAnew(ahead, checked, wanted)
    if (outcome instanceof Promise) return { partition, visibleEnd, outcome }
    return this.#push(this.#asResult(partition, wanted, visibleEnd, outcome))
  }

  #readNow({ partition, visibleEnd }: Readable, wanted: FetchPartition): LogReadOutcome | Promise<LogReadOutcome> {
    const startOffset = offset(wanted.fetchOffset)
    const bytesMax = Math.min(limitOf(wanted), Math.max(0, this.#bytesLeft))
    const isFirst = this.#sizeBytes === 0
    if (startOffset >= visibleEnd || (bytesMax === 0 && !isFirst)) return nothingRead(startOffset)
    return partition.log.read({ startOffset, endOffsetMax: offset(visibleEnd), bytesMax, minimum: isFirst ? 'at-least-one-batch' : 'none' })
  }

  /** While a file is read: the partitions behind it, as far as all of them fit whatever they turn out to have. */
  #readAhead(): void {
    const { partitions } = this.#parameters
    const current = this.results.length
    let bytesLeft = this.#bytesLeft - limitOf(partitions[current]!)
    for (let index = current + 1; index <= current + READS_AHEAD_MAX && index < partitions.length; index++) {
      const wanted = partitions[index]!
      const bytesMax = limitOf(wanted)
      bytesLeft -= bytesMax
      if (bytesLeft < 0) return
      const checked = this.#ahead.has(index) ? null : this.#check(wanted)
      if (checked?.kind !== 'readable' || bytesMax === 0 || wanted.fetchOffset >= checked.visibleEnd) continue
      const { partition, visibleEnd } = checked
      const range = { startOffset: offset(wanted.fetchOffset), endOffsetMax: offset(visibleEnd), bytesMax }
      this.#ahead.add(index, partition, partition.log.read({ ...range, minimum: 'none' }))
    }
  }

  async #unlessAnew(ahead: LogReadOutcome | Promise<LogReadOutcome>, readable: Readable, wanted: FetchPartition): Promise<LogReadOutcome> {
    const outcome = await ahead
    if (this.#countsInTurn(outcome, readable, wanted)) return outcome
    giveBack(outcome)
    return this.#readNow(readable, wanted)
  }

  /** Not when what came before had nothing, so that a batch must come whole here, or had a batch too large for the limits. */
  #countsInTurn(outcome: LogReadOutcome, { visibleEnd }: Readable, { bytesMax }: FetchPartition): boolean {
    if (outcome.kind !== 'read') return true
    const { sizeBytes, nextOffset } = outcome
    if (sizeBytes === 0) return this.#sizeBytes > 0
    return sizeBytes <= Math.min(bytesMax, this.#bytesLeft) && nextOffset <= visibleEnd
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

  #check(wanted: FetchPartition): Readable | Settled {
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

  #checkPosition(partition: Partition, wanted: FetchPartition): Readable | Settled {
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

/** A client may say less than nothing, which no file can be read by. */
function limitOf({ bytesMax }: FetchPartition): number {
  return Math.max(0, bytesMax)
}

function offlineFailure({ current }: Partition): FetchPartitionResult | null {
  return current.kind === 'offline' ? failure(current.errorCode, null) : null
}

function nothingRead(nextOffset: Offset): LogReadOutcome {
  return { kind: 'read', ...NO_RECORD_BYTES, nextOffset }
}

function settled(result: FetchPartitionResult): Settled {
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
