/**
 * The replica manager as coordinators see it, with one partition in memory and appends that end as the test
 * says. For tests.
 */
import { batchRecordCount, ErrorCode, setBaseOffsetAndLeaderEpoch } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { AppendRequest, AppendResult, LeadershipListener, PartitionView, ReplicaManager } from '@kavka/replication'
import type { LogReadOutcome, LogReadRequest } from '@kavka/storage'

export class ScriptedReplicas {
  readonly topic: string
  readonly batches: { readonly baseOffset: number; readonly count: number; readonly bytes: Buffer }[] = []
  highWatermark = 0
  maxMessageBytes = 1_048_588
  role: 'leader' | 'follower' = 'leader'
  readonly requests: AppendRequest[] = []
  /**
   * `commit`: at once. `hold`: in the log, the answer waits for `release`. A number: refused with it, not in
   * the log.
   */
  next: 'commit' | 'hold' | number = 'commit'
  /** When set, a read waits until it is called. */
  gate: Promise<void> | null = null
  reads = 0
  readFailure: string | null = null
  #listener: LeadershipListener | null = null
  #held: { resolve(result: AppendResult): void; readonly baseOffset: number }[] = []

  constructor(topic: string) {
    this.topic = topic
  }

  get asReplicaManager(): ReplicaManager {
    return this as unknown as ReplicaManager
  }

  get logEndOffset(): number {
    const last = this.batches.at(-1)
    return last === undefined ? 0 : last.baseOffset + last.count
  }

  get heldCount(): number {
    return this.#held.length
  }

  onLeadership(_topic: string, listener: LeadershipListener): void {
    this.#listener = listener
  }

  elect(partition: number, epoch: number): void {
    this.role = 'leader'
    this.#listener!.elected(partition, epoch as LeaderEpoch)
  }

  resign(partition: number, epoch: number): void {
    this.role = 'follower'
    this.#listener!.resigned(partition, epoch as LeaderEpoch)
  }

  /** The same object always, as its owner's state changes: that is what coordinators hold on to. */
  #view: PartitionView | null = null

  partition(): PartitionView {
    this.#view ??= this.#newView()
    return this.#view
  }

  #newView(): PartitionView {
    const config = Object.defineProperty({}, 'maxMessageBytes', { get: () => this.maxMessageBytes })
    const log = Object.defineProperties({ config, logStartOffset: 0, read: (request: LogReadRequest) => this.#read(request) }, {
      logEndOffset: { get: () => this.logEndOffset },
    })
    const view = Object.defineProperties({ topicPartition: { topic: this.topic, partition: 0 }, log }, {
      role: { get: () => this.role },
      highWatermark: { get: () => this.highWatermark },
    })
    return view as unknown as PartitionView
  }

  append(request: AppendRequest): Promise<readonly AppendResult[]> {
    this.requests.push(request)
    if (typeof this.next === 'number') return Promise.resolve([resultOf(this.next, -1)])
    const baseOffset = this.place(request.entries[0]!.records)
    if (this.next === 'commit') {
      this.highWatermark = this.logEndOffset
      return Promise.resolve([resultOf(ErrorCode.NONE, baseOffset)])
    }
    return new Promise((resolve) => {
      this.#held.push({ resolve: (result) => resolve([result]), baseOffset })
    })
  }

  /** Puts a batch into the log as another leader would have. */
  place(bytes: Buffer): number {
    const baseOffset = this.logEndOffset
    setBaseOffsetAndLeaderEpoch(bytes, 0, baseOffset, 0)
    this.batches.push({ baseOffset, count: batchRecordCount(bytes, 0), bytes })
    return baseOffset
  }

  /** Ends a held append, the oldest unless said otherwise. */
  release(errorCode: number = ErrorCode.NONE, index = 0): void {
    const [held] = this.#held.splice(index, 1)
    if (errorCode === ErrorCode.NONE) this.highWatermark = this.logEndOffset
    held!.resolve(resultOf(errorCode, errorCode === ErrorCode.NONE ? held!.baseOffset : -1))
  }

  /** A new leader without them: what was above the high watermark is gone. */
  truncateToHighWatermark(): void {
    while ((this.batches.at(-1)?.baseOffset ?? -1) >= this.highWatermark) this.batches.pop()
  }

  async #read({ startOffset, endOffsetMax, bytesMax }: LogReadRequest): Promise<LogReadOutcome> {
    this.reads++
    await this.gate
    if (this.readFailure !== null) return { kind: 'failed', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: this.readFailure }
    const from = this.batches.findIndex(({ baseOffset, count }) => baseOffset + count > startOffset)
    const records: Buffer[] = []
    let sizeBytes = 0
    let nextOffset: number = startOffset
    for (const batch of from === -1 ? [] : this.batches.slice(from)) {
      if (batch.baseOffset >= endOffsetMax || (records.length > 0 && sizeBytes + batch.bytes.length > bytesMax)) break
      records.push(batch.bytes)
      sizeBytes += batch.bytes.length
      nextOffset = batch.baseOffset + batch.count
    }
    return { kind: 'read', records, sizeBytes, nextOffset: nextOffset as Offset }
  }
}

function resultOf(errorCode: number, baseOffset: number): AppendResult {
  return {
    errorCode, errorMessage: null, baseOffset, endOffset: -1, logAppendTimeMs: -1, logStartOffset: 0, recordErrors: [], currentLeader: null,
  }
}
