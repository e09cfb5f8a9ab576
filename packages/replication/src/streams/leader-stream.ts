/** The serving side of one follower's stream: keeps its positions and sends what is new as soon as there is something. */
import type { Logger, Scheduler, TimerHandle } from '@kavka/kernel'
import { ErrorCode, offset } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { LogReadOutcome } from '@kavka/storage'
import { FifoQueue } from '../core/fifo-queue.ts'
import { PartitionTable } from '../core/partition-table.ts'
import { ServedPosition } from './follower-position.ts'
import type { PositionOwner } from './follower-position.ts'
import { OnceATurn } from '../once-a-turn.ts'
import type { Partition } from '../partition/partition.ts'
import type { FollowerFrame, FollowerPosition, LeaderPartitionFrame, LeaderStream, LeaderStreamEvents, PartitionKey } from '../ports.ts'
import type { ReplicationCounters } from '../replication-counters.ts'

export interface LeaderStreamServerOptions {
  readonly followerId: NodeId
  readonly followerBrokerEpoch: number
  /** Aim for the record bytes of one frame; a larger single batch still goes. */
  readonly frameBytesMax: number
}

export interface LeaderStreamServerDependencies {
  readonly stream: LeaderStream
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly counters: ReplicationCounters
  readonly find: (key: PartitionKey) => Partition | null
  readonly onClosed: () => void
}

/** More than any follower grants: a follower that grants more is broken. */
const CREDIT_FRAMES_MAX = 64
const ENTRIES_PER_FRAME_MAX = 4096
/**
 * High watermarks ride on the next records, which under load come within a millisecond: a quarter of all messages was their own. After
 * this long they go alone; Kafka's followers wait up to half a second for them.
 */
const PROGRESS_DELAY_MS = 5
/** With many busy partitions each gets at least this share of a frame, so that batches stay large. */
const SHARE_BYTES_MIN = 64 * 1024

export class LeaderStreamServer implements LeaderStreamEvents, PositionOwner {
  readonly followerId: NodeId
  readonly followerBrokerEpoch: number
  readonly #options: LeaderStreamServerOptions
  readonly #dependencies: LeaderStreamServerDependencies
  readonly #positions = new PartitionTable<ServedPosition>()
  /** Positions with something to read, and positions with something else to tell: each at most once in each. */
  readonly #withData = new FifoQueue<ServedPosition>()
  readonly #withNews = new FifoQueue<ServedPosition>()
  readonly #flush: OnceATurn
  #credits = 0
  /** Answers among the news, or progress that has waited long enough. */
  #newsAreDue = false
  #progressTimer: TimerHandle | null = null
  #state: 'open' | 'full' | 'closed' = 'open'

  constructor(options: LeaderStreamServerOptions, dependencies: LeaderStreamServerDependencies) {
    this.#options = options
    this.followerId = options.followerId
    this.followerBrokerEpoch = options.followerBrokerEpoch
    this.#dependencies = dependencies
    this.#flush = new OnceATurn(() => this.#send(), dependencies)
  }

  frame(frame: FollowerFrame): void {
    if (this.#state === 'closed') return
    this.#credits += frame.creditFrames
    if (frame.creditFrames < 0 || this.#credits > CREDIT_FRAMES_MAX) return this.close('too much credit')
    for (const key of frame.removed) this.#remove(key)
    for (const position of frame.positions) {
      if (!this.#isPlausible(position)) return this.close('position out of bounds')
      if (position.intent === 'restart') this.#restart(position)
      else this.#positions.get(position)?.acknowledge(position)
    }
    if (this.#withData.length > 0) this.#flush.request()
  }

  drained(): void {
    if (this.#state !== 'full') return
    this.#state = 'open'
    this.#flush.request()
  }

  closed(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#flush.stop()
    this.#progressTimer?.cancel()
    for (const position of this.#positions.values()) this.#detach(position)
    this.#positions.clear()
    this.#dependencies.onClosed()
  }

  /** Ends the stream from this side. */
  close(reason: string): void {
    if (this.#state === 'closed') return
    this.#dependencies.logger.info({ follower: this.followerId, reason }, 'closing a replication stream')
    this.#dependencies.stream.close(reason)
    this.closed()
  }

  /** The role or epoch of a partition changed here, or it was created. */
  partitionChanged(partition: Partition): void {
    const position = this.#positions.get(partition)
    if (position === undefined) return
    if (position.hosted === partition) position.reconsider()
    else this.#restart(position.announced)
  }

  dataArrived(position: ServedPosition): void {
    if (position.inDataQueue || position.isReading || position.isClosed) return
    position.inDataQueue = true
    this.#withData.push(position)
    this.#flush.request()
  }

  newsArrived(position: ServedPosition, kind: 'answer' | 'progress'): void {
    if (position.isClosed) return
    if (!position.inNewsQueue) {
      position.inNewsQueue = true
      this.#withNews.push(position)
    }
    if (kind === 'answer') this.#newsDue()
    else if (!this.#newsAreDue) this.#progressTimer ??= this.#dependencies.scheduler.after(PROGRESS_DELAY_MS, () => this.#newsDue())
  }

  #newsDue(): void {
    this.#newsAreDue = true
    this.#flush.request()
  }

  /** A stream is input: what no honest follower sends must not reach the assertions of the cores. */
  #isPlausible(position: FollowerPosition): boolean {
    const { fetchOffset, durableEndOffset } = position
    if (!Number.isSafeInteger(fetchOffset) || fetchOffset < 0 || durableEndOffset < 0) return false
    if (position.intent === 'restart') return durableEndOffset <= fetchOffset
    const served = this.#positions.get(position)
    return served === undefined || served.leaderEpoch !== position.currentLeaderEpoch || durableEndOffset <= served.nextOffset
  }

  #restart(announced: FollowerPosition): void {
    const previous = this.#positions.get(announced)
    if (previous !== undefined) previous.close()
    const position = new ServedPosition(announced, this.#dependencies.find(announced), this)
    this.#positions.set(announced, position)
    position.judge()
  }

  #remove(key: PartitionKey): void {
    const position = this.#positions.get(key)
    if (position === undefined) return
    this.#detach(position)
    this.#positions.delete(key)
  }

  #detach(position: ServedPosition): void {
    position.close()
    position.hosted?.followerDisconnected(this.followerId)
  }

  #send(): void {
    while (this.#state === 'open' && this.#credits > 0 && this.#withData.length > 0) {
      const entries = this.#readFrame()
      if (entries.length === 0) break
      this.#credits--
      this.#addNews(entries)
      this.#put(entries)
    }
    while (this.#state === 'open' && this.#newsAreDue) {
      const entries: LeaderPartitionFrame[] = []
      this.#addNews(entries)
      if (entries.length > 0) this.#put(entries)
    }
  }

  #put(entries: readonly LeaderPartitionFrame[]): void {
    if (!this.#dependencies.stream.send({ partitions: entries }) && this.#state === 'open') this.#state = 'full'
  }

  /** One round over the positions with data, the least recently served first, until the frame is full. */
  #readFrame(): LeaderPartitionFrame[] {
    const entries: LeaderPartitionFrame[] = []
    const share = Math.max(SHARE_BYTES_MIN, Math.floor(this.#options.frameBytesMax / this.#withData.length))
    let bytesLeft = this.#options.frameBytesMax
    for (let left = this.#withData.length; left > 0 && bytesLeft > 0; left--) {
      const position = this.#withData.shift()!
      position.inDataQueue = false
      const outcome = this.#read(position, Math.min(share, bytesLeft), entries.length === 0)
      if (outcome === null) continue
      if (outcome.kind !== 'read') {
        position.refuse(outcome.kind === 'failed' ? outcome.errorCode : ErrorCode.OFFSET_OUT_OF_RANGE)
        continue
      }
      if (outcome.sizeBytes === 0 && entries.length > 0) {
        // Its first batch does not fit beside the others: it is the first of the next frame, or small ones would starve it.
        position.inDataQueue = true
        this.#withData.unshift(position)
        break
      }
      bytesLeft -= outcome.sizeBytes
      if (outcome.sizeBytes > 0) entries.push(this.#take(position, outcome))
      if (hasMore(position)) this.dataArrived(position)
    }
    return entries
  }

  #take(position: ServedPosition, outcome: LogReadOutcome & { readonly kind: 'read' }): LeaderPartitionFrame {
    const entry = position.entry(position.nextOffset, outcome.records)
    position.nextOffset = outcome.nextOffset
    this.#dependencies.counters.bytesOut += outcome.sizeBytes
    return entry
  }

  /** Null when there is nothing to read, or when the bytes have to come from the file first. */
  #read(position: ServedPosition, bytesMax: number, isFirst: boolean): LogReadOutcome | null {
    if (position.isClosed || !position.isServing || !hasMore(position)) return null
    const ready = position.readAhead
    if (ready !== null) {
      position.readAhead = null
      return ready
    }
    const log = position.hosted!.log
    const outcome = log.read({
      startOffset: offset(position.nextOffset),
      endOffsetMax: log.logEndOffset,
      bytesMax,
      minimum: isFirst ? 'at-least-one-batch' : 'none',
    })
    if (!(outcome instanceof Promise)) return outcome
    this.#await(position, outcome)
    return null
  }

  #await(position: ServedPosition, reading: Promise<LogReadOutcome>): void {
    position.isReading = true
    void reading.then(
      (outcome) => this.#arrived(position, outcome),
      (cause: unknown) => {
        this.#dependencies.logger.error({ cause, partition: position.hosted?.name }, 'reading for a follower failed')
        this.#arrived(position, { kind: 'failed', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: String(cause) })
      },
    )
  }

  #arrived(position: ServedPosition, outcome: LogReadOutcome): void {
    position.isReading = false
    if (position.isClosed || !position.isServing) return
    // The first batch did not fit beside others; alone in the next frame it will.
    if (outcome.kind !== 'read' || outcome.sizeBytes > 0) position.readAhead = outcome
    this.dataArrived(position)
  }

  /** All there are, as far as they fit: those that could wait go along with the others, and with records. */
  #addNews(entries: LeaderPartitionFrame[]): void {
    while (this.#withNews.length > 0) {
      if (entries.length >= ENTRIES_PER_FRAME_MAX) return this.#newsDue()
      const position = this.#withNews.shift()!
      position.inNewsQueue = false
      if (!position.isClosed && position.hasNews) entries.push(position.entry(position.nextOffset, []))
    }
    this.#newsAreDue = false
    this.#progressTimer?.cancel()
    this.#progressTimer = null
  }
}

function hasMore(position: ServedPosition): boolean {
  return position.hosted !== null && position.hosted.hasLog && position.nextOffset < position.hosted.log.logEndOffset
}
