import { assert } from '@kavka/kernel'
import type { GroupMetadataValue } from '@kavka/protocol'
import { newDeadline } from '../../coordinators/deadline-queue.ts'
import { ClassicGroup } from './classic-group.ts'
import type { GroupTimer } from './classic-group.ts'
import { GroupOffsets } from './committed-offsets.ts'
import type { CommittedOffset } from './committed-offsets.ts'
import type { ForeignGroupType } from './group-records.ts'

/**
 * Every group of one partition of `__consumer_offsets`, by id: the classic ones, their offsets, and what
 * belongs to other protocols.
 */
export class GroupTable {
  readonly #classic = new Map<string, ClassicGroup>()
  readonly #offsets = new Map<string, GroupOffsets>()
  readonly #foreign = new Map<string, ForeignGroup>()
  /** Groups with offsets in the open transaction of a producer, so that a marker touches those alone. */
  readonly #transactions = new Map<number, Set<string>>()

  classic(groupId: string): ClassicGroup | null {
    return this.#classic.get(groupId) ?? null
  }

  /** A copy: groups come and go while the caller walks through them. */
  classicGroups(): ClassicGroup[] {
    return [...this.#classic.values()]
  }

  foreign(groupId: string): ForeignGroup | null {
    return this.#foreign.get(groupId) ?? null
  }

  /**
   * The group, made simple (empty, without a protocol type) when there is none: what a commit without
   * membership needs.
   */
  classicOrSimple(groupId: string): ClassicGroup {
    const existing = this.#classic.get(groupId)
    if (existing !== undefined) return existing
    return this.create(groupId, null)
  }

  create(groupId: string, stateTimestampMs: number | null): ClassicGroup {
    assert(!this.#classic.has(groupId), 'a group is made once', { groupId })
    const group = new ClassicGroup(groupId, stateTimestampMs)
    this.#classic.set(groupId, group)
    return group
  }

  remove(groupId: string): void {
    this.#classic.delete(groupId)
    this.forgetUnusedOffsets(groupId)
  }

  offsets(groupId: string): GroupOffsets | null {
    return this.#offsets.get(groupId) ?? null
  }

  offsetsToWrite(groupId: string): GroupOffsets {
    let offsets = this.#offsets.get(groupId)
    if (offsets === undefined) this.#offsets.set(groupId, (offsets = new GroupOffsets()))
    return offsets
  }

  forgetUnusedOffsets(groupId: string): void {
    if (this.#offsets.get(groupId)?.isUnused === true) this.#offsets.delete(groupId)
  }

  putOffset(groupId: string, topic: string, partition: number, committed: CommittedOffset): void {
    if (this.#foreign.get(groupId) === undefined) this.classicOrSimple(groupId)
    this.offsetsToWrite(groupId).put(topic, partition, committed)
  }

  putPendingOffset(
    producerId: number,
    at: { readonly groupId: string; readonly topic: string; readonly partition: number },
    committed: CommittedOffset,
  ): void {
    if (this.#foreign.get(at.groupId) === undefined) this.classicOrSimple(at.groupId)
    this.offsetsToWrite(at.groupId).putPending(producerId, at.topic, at.partition, committed)
    const groups = this.#transactions.get(producerId)
    if (groups === undefined) this.#transactions.set(producerId, new Set([at.groupId]))
    else groups.add(at.groupId)
  }

  deleteOffset(groupId: string, topic: string, partition: number): void {
    this.#offsets.get(groupId)?.delete(topic, partition)
    this.forgetUnusedOffsets(groupId)
  }

  endTransaction(producerId: number, result: 'commit' | 'abort'): void {
    for (const groupId of this.#transactions.get(producerId) ?? []) {
      this.#offsets.get(groupId)?.endTransaction(producerId, result)
      this.forgetUnusedOffsets(groupId)
    }
    this.#transactions.delete(producerId)
  }

  /**
   * Replaces what is known of a group by what its record says. Nobody waits for anything: this happens while
   * loading only.
   */
  restore(groupId: string, value: GroupMetadataValue): void {
    const stateTimestampMs = value.currentStateTimestamp < 0 ? null : value.currentStateTimestamp
    const group = new ClassicGroup(groupId, stateTimestampMs)
    group.generationId = value.generation
    group.protocolName = value.protocol
    for (const member of value.members) group.add(restoredMember(groupId, value, member), value.protocolType)
    group.protocolType = value.protocolType === '' ? null : value.protocolType
    group.leaderId = value.leader !== null && group.members.has(value.leader) ? value.leader : group.leaderId
    if (group.members.size > 0) group.state = { kind: 'Stable', pendingSync: new Set() }
    group.refreshSubscribedTopics()
    this.#classic.set(groupId, group)
  }

  /** The group's tombstone. Offsets that are left, if any, are a simple group's. */
  erase(groupId: string): void {
    this.#classic.delete(groupId)
    this.forgetUnusedOffsets(groupId)
    if (this.#offsets.has(groupId)) this.create(groupId, null)
  }

  /** A record of a group of another protocol: while one is left, the id is taken. */
  restoreForeign(groupId: string, groupType: ForeignGroupType, part: string): void {
    const foreign = this.#foreign.get(groupId) ?? { groupType, parts: new Set() }
    foreign.parts.add(part)
    this.#foreign.set(groupId, foreign)
    // Offsets replayed before made a simple group of it.
    if (this.#classic.get(groupId)?.protocolType === null) this.#classic.delete(groupId)
  }

  eraseForeign(groupId: string, part: string): void {
    const foreign = this.#foreign.get(groupId)
    if (foreign === undefined) return
    foreign.parts.delete(part)
    if (foreign.parts.size > 0) return
    this.#foreign.delete(groupId)
    if (this.#offsets.has(groupId)) this.classicOrSimple(groupId)
  }
}

export interface ForeignGroup {
  readonly groupType: ForeignGroupType
  /** Keys of its live records. */
  readonly parts: Set<string>
}

function restoredMember(
  groupId: string,
  group: GroupMetadataValue,
  member: GroupMetadataValue['members'][number],
): Parameters<ClassicGroup['add']>[0] {
  const { memberId, groupInstanceId, clientId, clientHost, sessionTimeout, rebalanceTimeout } = member
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    rebalanceTimeoutMs: rebalanceTimeout < 0 ? sessionTimeout : rebalanceTimeout,
    sessionTimeoutMs: sessionTimeout,
    protocols: [{ name: group.protocol ?? '', metadata: Buffer.from(member.subscription) }],
    assignment: Buffer.from(member.assignment),
    awaitingJoin: null,
    awaitingSync: null,
    isNew: false,
    session: newDeadline<GroupTimer>({ kind: 'session', groupId, memberId }),
  }
}
