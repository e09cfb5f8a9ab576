/** The following side of one stream: everything this broker follows from one leader broker. */
import { assert } from '@kavka/kernel'
import type { Logger, Random, Scheduler, TimerHandle } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { PartitionTable } from '../core/partition-table.ts'
import { RetryBackoff } from '../core/retry-backoff.ts'
import { OnceATurn } from '../once-a-turn.ts'
import type { Partition } from '../partition/partition.ts'
import type { FollowerPosition, FollowerStream, LeaderFrame, LeaderPartitionFrame, PartitionKey, ReplicationTransport } from '../ports.ts'
import type { ReplicationCounters } from '../replication-counters.ts'

export interface FollowerFetcherOptions {
  readonly clusterId: string
  readonly localId: NodeId
  readonly leaderId: NodeId
  /** Data frames that may be under way at once. */
  readonly framesInFlightMax: number
  readonly backoff: { readonly delayMsMin: number; readonly delayMsMax: number }
}

export interface FollowerFetcherDependencies {
  readonly transport: ReplicationTransport
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  readonly counters: ReplicationCounters
  readonly brokerEpoch: () => number
  /** Where the leader listens for other brokers; null while it is not registered. */
  readonly addressOf: (id: NodeId) => { readonly host: string; readonly port: number } | null
}

interface Followed extends PartitionKey {
  readonly hosted: Partition
  /** Is the leader to be told anew where to read? */
  announce: 'now' | 'after-back-off' | 'done'
  hasAcknowledgment: boolean
}

/**
 *   closed ──first partition──▶ open ──broken──▶ waiting ──back-off or new metadata──▶ open
 */
type Connection =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly stream: FollowerStream }
  | { readonly kind: 'waiting'; readonly timer: TimerHandle }

const POSITIONS_PER_FRAME_MAX = 4096

export class FollowerFetcher {
  readonly #options: FollowerFetcherOptions
  readonly #dependencies: FollowerFetcherDependencies
  readonly #partitions = new PartitionTable<Followed>()
  /** Those with something to send, each once. */
  readonly #toSend = new Set<Followed>()
  #removed: PartitionKey[] = []
  #connection: Connection = { kind: 'closed' }
  /** Counts streams: what an abandoned one still delivers is not listened to. */
  #streamNumber = 0
  #credits = 0
  #openedMs = 0
  #announceTimer: TimerHandle | null = null
  #announcedAgainMs = -Infinity
  readonly #flush: OnceATurn
  readonly #streamBackoff: RetryBackoff
  readonly #announceBackoff: RetryBackoff

  constructor(options: FollowerFetcherOptions, dependencies: FollowerFetcherDependencies) {
    this.#options = options
    this.#dependencies = dependencies
    this.#flush = new OnceATurn(() => this.#send(), dependencies)
    this.#streamBackoff = new RetryBackoff(options.backoff, dependencies)
    this.#announceBackoff = new RetryBackoff(options.backoff, dependencies)
  }

  get size(): number {
    return this.#partitions.size
  }

  /** Partitions whose leader refuses or that cannot be appended to; they are tried again, the others run on. */
  get troubledPartitions(): number {
    let count = 0
    for (const followed of this.#partitions.values()) if (followed.announce === 'after-back-off') count++
    return count
  }

  /** Starts, or starts anew after a change of leader epoch. */
  follow(partition: Partition): void {
    const known = this.#partitions.get(partition)
    const followed = known ?? {
      topicId: partition.topicId,
      partition: partition.partition,
      hosted: partition,
      announce: 'now',
      hasAcknowledgment: false,
    }
    assert(followed.hosted === partition, 'one replica of a partition', { partition: partition.name })
    this.#partitions.set(followed, followed)
    this.#announce(followed)
    this.retryNow()
  }

  unfollow(partition: Partition): void {
    const followed = this.#partitions.get(partition)
    if (followed === undefined) return
    this.#partitions.delete(followed)
    this.#toSend.delete(followed)
    if (this.#partitions.size === 0) {
      this.#close()
    } else if (this.#connection.kind === 'open') {
      this.#removed.push({ topicId: followed.topicId, partition: followed.partition })
      this.#flush.request()
    }
  }

  /** The partition's durable end or log start moved. */
  acknowledge(partition: Partition): void {
    const followed = this.#partitions.get(partition)
    if (followed === undefined || followed.announce !== 'done') return
    followed.hasAcknowledgment = true
    this.#toSend.add(followed)
    this.#flush.request()
  }

  /** New metadata names a reachable leader: no reason to sit out the back-off. */
  retryNow(): void {
    if (this.#connection.kind === 'waiting') {
      this.#connection.timer.cancel()
      this.#connection = { kind: 'closed' }
    }
    this.#flush.request()
  }

  /** The leader registered anew, maybe elsewhere: what the old stream still says is of the past. */
  reconnect(): void {
    if (this.#connection.kind === 'open') {
      this.#connection.stream.close()
      this.#disconnected()
    }
    this.#streamBackoff.reset()
    this.retryNow()
  }

  stop(): void {
    this.#flush.stop()
    this.#close()
    this.#partitions.clear()
  }

  #announce(followed: Followed): void {
    followed.announce = 'now'
    this.#toSend.add(followed)
    this.#flush.request()
  }

  #close(): void {
    if (this.#connection.kind === 'open') this.#connection.stream.close()
    if (this.#connection.kind === 'waiting') this.#connection.timer.cancel()
    this.#announceTimer?.cancel()
    this.#announceTimer = null
    this.#disconnected()
  }

  #disconnected(): void {
    this.#connection = { kind: 'closed' }
    this.#streamNumber++
    this.#credits = 0
    this.#removed = []
    for (const followed of this.#partitions.values()) {
      followed.announce = 'now'
      this.#toSend.add(followed)
    }
  }

  #open(): FollowerStream | null {
    const address = this.#dependencies.addressOf(this.#options.leaderId)
    if (address === null) return null
    const number = ++this.#streamNumber
    this.#openedMs = this.#dependencies.scheduler.monotonicMs()
    const { clusterId, localId, leaderId } = this.#options
    const hello = { clusterId, followerId: localId, followerBrokerEpoch: this.#dependencies.brokerEpoch(), leaderId }
    const stream = this.#dependencies.transport.openStream({ id: leaderId, ...address }, hello, {
      frame: (frame) => {
        if (number === this.#streamNumber) this.#frame(frame)
      },
      closed: (reason) => {
        if (number === this.#streamNumber) this.#broken(reason)
      },
    })
    // Refused before the call returned: the back-off is already running.
    if (number !== this.#streamNumber) return null
    this.#connection = { kind: 'open', stream }
    this.#credits = this.#options.framesInFlightMax
    return stream
  }

  #broken(reason: string): void {
    // From the attempt on: one that met silence for a second has waited long enough.
    const delayMs = Math.max(0, this.#streamBackoff.nextDelayMs() - (this.#dependencies.scheduler.monotonicMs() - this.#openedMs))
    this.#dependencies.counters.streamsBroken++
    this.#dependencies.logger.info({ leader: this.#options.leaderId, reason, delayMs }, 'replication stream ended')
    this.#disconnected()
    if (this.#partitions.size === 0) return
    const timer = this.#dependencies.scheduler.after(delayMs, () => this.retryNow())
    this.#connection = { kind: 'waiting', timer }
  }

  #frame(frame: LeaderFrame): void {
    this.#streamBackoff.reset()
    let hasRecords = false
    for (const entry of frame.partitions) {
      if (entry.records.length > 0) hasRecords = true
      const followed = this.#partitions.get(entry)
      if (followed !== undefined) this.#apply(entry, followed)
    }
    // The last partition may have left while its frame was applied.
    if (!hasRecords || this.#connection.kind !== 'open') return
    this.#credits++
    this.#flush.request()
  }

  #apply(entry: LeaderPartitionFrame, followed: Followed): void {
    const logStartBefore = followed.hosted.hasLog ? followed.hosted.log.logStartOffset : 0
    for (const piece of entry.records) this.#dependencies.counters.bytesIn += piece.length
    switch (followed.hosted.applyLeaderFrame(entry)) {
      case 'advanced':
        if (followed.announce === 'after-back-off') {
          // The refused position is served after all; what became durable while it was refused was not acknowledged.
          followed.announce = 'done'
          this.acknowledge(followed.hosted)
        }
        if (followed.hosted.log.logStartOffset !== logStartBefore) this.acknowledge(followed.hosted)
        return
      case 'restarted':
        this.#announce(followed)
        return
      case 'back-off':
        this.#announceLater(followed)
        return
      case 'ignored':
        return
    }
  }

  /** One timer for all partitions in trouble. */
  #announceLater(followed: Followed): void {
    followed.announce = 'after-back-off'
    followed.hasAcknowledgment = false
    this.#toSend.delete(followed)
    if (this.#announceTimer !== null) return
    const { scheduler } = this.#dependencies
    // A leader that refuses still does so at once: what comes this late is another trouble, and begins with the shortest wait.
    if (scheduler.monotonicMs() - this.#announcedAgainMs > this.#options.backoff.delayMsMax) this.#announceBackoff.reset()
    this.#announceTimer = scheduler.after(this.#announceBackoff.nextDelayMs(), () => {
      this.#announceTimer = null
      this.#announceTroubled()
    })
  }

  #announceTroubled(): void {
    this.#announcedAgainMs = this.#dependencies.scheduler.monotonicMs()
    for (const followed of this.#partitions.values()) if (followed.announce === 'after-back-off') this.#announce(followed)
  }

  #send(): void {
    if (this.#partitions.size === 0 || this.#connection.kind === 'waiting') return
    const stream = this.#connection.kind === 'open' ? this.#connection.stream : this.#open()
    if (stream === null) return
    while (this.#toSend.size > 0 || this.#credits > 0 || this.#removed.length > 0) {
      const positions = this.#takePositions()
      const removed = this.#removed
      const creditFrames = this.#credits
      this.#removed = []
      this.#credits = 0
      if (positions.length > 0 || removed.length > 0 || creditFrames > 0) stream.send({ creditFrames, positions, removed })
    }
  }

  #takePositions(): FollowerPosition[] {
    const positions: FollowerPosition[] = []
    for (const followed of this.#toSend) {
      if (positions.length === POSITIONS_PER_FRAME_MAX) break
      this.#toSend.delete(followed)
      const position = positionOf(followed)
      if (position !== null) positions.push(position)
    }
    return positions
  }
}

function positionOf(followed: Followed): FollowerPosition | null {
  const { hosted } = followed
  const { current } = hosted
  if (current.kind !== 'follower' || current.state === null) return null
  const log = hosted.announcedLog
  const intent = followed.announce === 'now' ? 'restart' : 'acknowledge'
  if (intent === 'acknowledge' && !followed.hasAcknowledgment) return null
  followed.announce = 'done'
  followed.hasAcknowledgment = false
  const from =
    intent === 'restart'
      ? current.state.announce(log)
      : { fetchOffset: log.logEndOffset, lastFetchedEpoch: log.latestEpoch ?? -1 }
  return {
    topicId: followed.topicId,
    partition: followed.partition,
    currentLeaderEpoch: current.state.leaderEpoch,
    fetchOffset: from.fetchOffset,
    lastFetchedEpoch: from.lastFetchedEpoch,
    durableEndOffset: log.durableEndOffset,
    logStartOffset: log.logStartOffset,
    highWatermark: log.highWatermark,
    intent,
  }
}
