/**
 * Whether the log of one replica is what it should be, what the controller is to be told of it (KIP-858), and when the log may be
 * emptied to be filled again from the leader.
 *
 *   sound ──damage is met──▶ damaged ──the controller marks the replica LOST──▶ hollow ──the leader proved that it can give
 *     ▲                                                                                 everything back──▶ emptied ─┐
 *     └──────────────────────── assigned to its directory ────────────────────────────────────────────────────────┘
 *
 * A hollow replica still has all it had, but announces itself to its leader as one that has nothing. The mark outlives the process: a
 * replica that starts with it is damaged, whether or not the process before had emptied the log.
 */
import { directoryOf, isReservedDirectory, LOST_DIRECTORY, UNASSIGNED_DIRECTORY } from '@kavka/controller'
import type { PartitionRegistration } from '@kavka/controller'
import { assert } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Uuid } from '@kavka/protocol'
import type { PartitionLog } from '@kavka/storage'

export class ReplicaHealth {
  readonly #localId: NodeId
  #log: PartitionLog | null = null
  #directory: Uuid | null = null
  /** Marked by a process before this one. */
  #isLost: boolean
  /** The leader epoch in which it announces itself as empty. */
  #hollowIn: LeaderEpoch | null = null

  constructor(localId: NodeId, registration: PartitionRegistration) {
    this.#localId = localId
    this.#isLost = directoryOf(registration, localId) === LOST_DIRECTORY
  }

  /** `directory`: the id of the log directory that holds it. */
  opened(log: PartitionLog, directory: Uuid | null): void {
    this.#log = log
    this.#directory = directory
  }

  get isDamaged(): boolean {
    return this.#isLost || (this.#log !== null && this.#log.corruption !== null)
  }

  /**
   * The directory that the controller should have on record; null when it has, or when there is nothing to tell. `followed`: the leader
   * epoch in which this replica has announced itself to a leader.
   */
  claim(registration: PartitionRegistration, followed: LeaderEpoch | null): Uuid | null {
    const registered = directoryOf(registration, this.#localId)
    if (this.isDamaged && !this.#isLastHope(registration)) {
      // Damaged again while it was filled, it needs a new mark: see `isRefillDue`.
      const isAnnounced = followed === registration.leaderEpoch && this.#hollowIn === null
      return registered === LOST_DIRECTORY && !isAnnounced ? null : LOST_DIRECTORY
    }
    // It could not be made, and the controller does not know where it was to be.
    if (this.#log === null) return registered === UNASSIGNED_DIRECTORY ? LOST_DIRECTORY : null
    return this.#directory === registered ? null : this.#directory
  }

  /** As `claim`, before the role follows the registration: hollow from here on, or not. */
  follow(registration: PartitionRegistration, followed: LeaderEpoch | null): void {
    if (this.#isRefillDue(registration, followed)) this.#hollowIn = registration.leaderEpoch
    else if (this.#hollowIn !== registration.leaderEpoch) this.#hollowIn = null
  }

  get isHollow(): boolean {
    return this.#hollowIn !== null
  }

  /**
   * Nobody is in sync or eligible, and the controller elects this replica as the last known leader (KIP-966) when its broker is unfenced,
   * unless it is marked: then nobody would lead until somebody asks for an unclean election, as after a power cut that all replicas of
   * the partition shared. Once it leads and others are in sync it is damaged as any other, and is relieved. With damage found at the
   * start it could not serve: then it is better to say so.
   */
  #isLastHope(registration: PartitionRegistration): boolean {
    const { leader, isr, elr, lastKnownElr } = registration
    if (this.#isLost || this.#log?.corruption?.found !== 'by-read') return false
    const isNobodyLeft = leader === null && isr.length === 0 && elr.length === 0
    return isNobodyLeft && lastKnownElr.length === 1 && lastKnownElr[0] === this.#localId
  }

  /** Empties the log. False when that failed. */
  empty(): boolean {
    const log = this.#log
    assert(log !== null && this.isHollow, 'only a hollow replica is emptied')
    log.truncateFullyAndStartAt(log.logStartOffset)
    if (log.corruption !== null) return false
    this.#isLost = false
    this.#hollowIn = null
    return true
  }

  /**
   * Nobody may be able to elect this replica: while it is in sync or eligible, what is readable of it may be the last copy of what is
   * committed. And the mark must be of a leader epoch in which this replica has not announced itself. Otherwise: it acknowledges offset
   * 100, finds damage, is taken out and empties its log; the leader, which heard the 100 in this very epoch, proposes it again, and the
   * controller takes back a replica that has nothing.
   */
  #isRefillDue(registration: PartitionRegistration, followed: LeaderEpoch | null): boolean {
    const { leader, leaderEpoch, isr, elr } = registration
    if (this.#log === null || !this.isDamaged || leader === null || leader === this.#localId) return false
    if (isr.includes(this.#localId) || elr.includes(this.#localId)) return false
    return directoryOf(registration, this.#localId) === LOST_DIRECTORY && followed !== leaderEpoch
  }
}

/** The directory that the metadata names; null when it names none. */
export function assignedDirectory(registration: PartitionRegistration, localId: NodeId): Uuid | null {
  const directory = directoryOf(registration, localId)
  return isReservedDirectory(directory) ? null : directory
}
