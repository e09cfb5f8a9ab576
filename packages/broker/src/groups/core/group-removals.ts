import { ErrorCode } from '@kavka/protocol'
import { coordinatorErrorOf } from '../../coordinators/append-errors.ts'
import type { CoordinatorRecord, Correlation, EffectOutbox, Now, PendingAppend } from '../../coordinators/coordinator-core.ts'
import { newDeadline } from '../../coordinators/deadline-queue.ts'
import type { DeadlineQueue } from '../../coordinators/deadline-queue.ts'
import type { ClassicGroup, GroupTimer } from './classic-group.ts'
import type { ErrorAnswer, OffsetDeleteAnswer, OffsetDeleteInput } from '../group-coordinator-api.ts'
import type { GroupOptions } from '../group-options.ts'
import { groupTombstone } from './group-records.ts'
import type { GroupTable } from './group-table.ts'
import { expiredOffsets } from './offset-expiry.ts'
import { deleteErrorOf, offsetDeleteErrorOf } from './offset-validation.ts'
import { planOffsetDelete, tombstonesOf } from './offsets-core.ts'

/** Most tombstones of one append of an expiry: far below the largest batch. */
const EXPIRED_PARTITIONS_PER_APPEND_MAX = 1_000

export interface GroupRemovalsDependencies {
  readonly table: GroupTable
  readonly outbox: EffectOutbox
  readonly timers: DeadlineQueue<GroupTimer>
}

/** What takes groups and offsets away: requests, deleted topics, expiry. Each is gone when its tombstones are committed. */
export class GroupRemovals {
  readonly #options: GroupOptions
  readonly #table: GroupTable
  readonly #outbox: EffectOutbox
  readonly #timers: DeadlineQueue<GroupTimer>
  readonly #offsetExpiry = newDeadline<GroupTimer>({ kind: 'offset-expiry' })

  constructor(options: GroupOptions, { table, outbox, timers }: GroupRemovalsDependencies) {
    this.#options = options
    this.#table = table
    this.#outbox = outbox
    this.#timers = timers
  }

  deleteOffsets(correlation: Correlation<OffsetDeleteAnswer>, request: OffsetDeleteInput): void {
    const { groupId } = request
    const group = this.#table.classic(groupId)
    const errorCode = group === null ? ErrorCode.GROUP_ID_NOT_FOUND : offsetDeleteErrorOf(group)
    if (group === null || errorCode !== ErrorCode.NONE) {
      this.#outbox.reply(correlation, { errorCode, topics: [] })
      return
    }
    const subscribed = (topic: string) => group.state.kind !== 'Empty' && group.isSubscribedTo(topic)
    const { deleted, answer } = planOffsetDelete(request, this.#table.offsetsToWrite(groupId), subscribed)
    this.#table.forgetUnusedOffsets(groupId)
    if (deleted.length === 0) {
      this.#outbox.reply(correlation, answer)
      return
    }
    this.#append(tombstonesOf(groupId, deleted), {
      committed: () => {
        this.#deleteOffsets(groupId, deleted)
        this.#outbox.reply(correlation, answer)
      },
      failed: (code) => this.#outbox.reply(correlation, { errorCode: coordinatorErrorOf(code), topics: [] }),
      timedOut: () => {
        this.#outbox.reply(correlation, { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, topics: [] })
      },
    })
  }

  deleteGroup(correlation: Correlation<ErrorAnswer>, groupId: string, now: Now): void {
    const group = this.#table.classic(groupId)
    const errorCode = group === null ? this.#absentDeleteError(groupId) : deleteErrorOf(group)
    if (group === null || errorCode !== ErrorCode.NONE) {
      this.#outbox.reply(correlation, { errorCode })
      return
    }
    this.#eraseGroup(group, now, (code) => this.#outbox.reply(correlation, { errorCode: code }))
  }

  /**
   * Topics are gone from the metadata: what groups committed for them is of no use, and must not survive a
   * topic of the same name.
   */
  topicsDeleted(topics: ReadonlySet<string>): void {
    for (const { groupId } of this.#table.classicGroups()) {
      const known = [...(this.#table.offsets(groupId)?.known() ?? [])].filter(([topic]) => topics.has(topic))
      this.#appendOffsetTombstones(groupId, known)
    }
  }

  scheduleExpiry(now: Now): void {
    this.#timers.schedule(this.#offsetExpiry, now.monotonicMs + this.#options.offsetsRetentionCheckIntervalMs)
  }

  expireOffsets(now: Now): void {
    const retentionMs = this.#options.offsetsRetentionMinutes * 60_000
    for (const group of this.#table.classicGroups()) {
      if (group.state.kind === 'Dead') continue
      const offsets = this.#table.offsets(group.groupId)
      const expired = offsets === null ? [] : expiredOffsets(group, offsets, now.wallMs, retentionMs)
      const left = offsets === null ? 0 : [...offsets.known()].length - expired.length
      const erasable = group.state.kind === 'Empty' && group.pendingJoin.size === 0 && left === 0
      if (erasable && expired.length <= EXPIRED_PARTITIONS_PER_APPEND_MAX) this.#eraseGroup(group, now, () => {})
      else this.#appendOffsetTombstones(group.groupId, expired)
    }
    this.scheduleExpiry(now)
  }

  /** Whether a group of another protocol is empty is not known here: it is not deleted. */
  #absentDeleteError(groupId: string): number {
    return this.#table.foreign(groupId) === null ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.NON_EMPTY_GROUP
  }

  /**
   * Writes the tombstones of an empty group and of everything it has committed; dead from now on, gone when
   * they are committed.
   */
  #eraseGroup(group: ClassicGroup, now: Now, done: (errorCode: number) => void): void {
    const { groupId } = group
    const partitions = [...(this.#table.offsets(groupId)?.known() ?? [])]
    for (const pending of group.pendingJoin.values()) this.#timers.cancel(pending)
    group.pendingJoin.clear()
    group.transition({ kind: 'Dead' }, now.wallMs)
    this.#append([...tombstonesOf(groupId, partitions), groupTombstone(groupId)], {
      committed: () => {
        this.#deleteOffsets(groupId, partitions)
        this.#table.erase(groupId)
        done(ErrorCode.NONE)
      },
      failed: (errorCode, failedAt) => {
        group.transition({ kind: 'Empty' }, failedAt.wallMs)
        done(coordinatorErrorOf(errorCode))
      },
      timedOut: () => done(ErrorCode.COORDINATOR_NOT_AVAILABLE),
    })
  }

  #appendOffsetTombstones(groupId: string, partitions: readonly (readonly [string, number])[]): void {
    for (let from = 0; from < partitions.length; from += EXPIRED_PARTITIONS_PER_APPEND_MAX) {
      const chunk = partitions.slice(from, from + EXPIRED_PARTITIONS_PER_APPEND_MAX)
      this.#append(tombstonesOf(groupId, chunk), {
        committed: () => this.#deleteOffsets(groupId, chunk),
        failed: () => {},
        timedOut: () => {},
      })
    }
  }

  #deleteOffsets(groupId: string, partitions: readonly (readonly [string, number])[]): void {
    for (const [topic, partition] of partitions) this.#table.deleteOffset(groupId, topic, partition)
  }

  #append(records: readonly CoordinatorRecord[], fate: Omit<PendingAppend, 'payload'>): void {
    this.#outbox.append({ payload: { kind: 'records', records }, ...fate })
  }
}
