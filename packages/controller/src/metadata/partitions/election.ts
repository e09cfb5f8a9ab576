/**
 * Who leads a partition, and what becomes of its in-sync and eligible sets: one pure function for every
 * occasion, after KRaft's rules with eligible leader replicas (KIP-966).
 */
import { assert } from '@kavka/kernel'
import type { NodeId, Uuid } from '@kavka/protocol'
import type { PartitionRegistration } from '../image.ts'
import type { PartitionChangeRecord } from '../records.ts'
import { partitionChange } from '../records.ts'

/**
 * `online`: keep the leader while it may lead, else any replica that may. `preferred`: the first replica if
 * it may lead. `unclean`: as `online`, and at last a replica that may lack committed records.
 */
export type ElectionKind = 'online' | 'preferred' | 'unclean'

export interface PartitionDecision {
  readonly topicId: Uuid
  readonly partition: PartitionRegistration
  readonly election: ElectionKind
  /** Alive, unfenced, not shutting down: as it will be once the records of this decision are in force. */
  isActive(replica: NodeId): boolean
  /** The replica's broker can use that log directory (KIP-858). */
  isOnline(replica: NodeId, directory: Uuid): boolean
  /**
   * Null: eligible leader replicas are not enabled. `distrusted` may lack what it acknowledged, after an unclean stop or because its
   * log is damaged: no reason makes it eligible.
   */
  readonly elr: { readonly minIsr: number; readonly distrusted: NodeId | null } | null
  /** The directories to have, when they are to change. */
  readonly directories?: readonly Uuid[]
  /** The assignment to have, when it is to change (KIP-455); `directories` come with it. */
  readonly assignment?: Assignment
  /** The in-sync set to have, when it is to change. */
  readonly isr?: readonly NodeId[]
  readonly leaderRecovery?: 'recovered' | 'recovering'
}

/** Members of `adding` and `removing` are among the replicas. */
export interface Assignment {
  readonly replicas: readonly NodeId[]
  readonly adding: readonly NodeId[]
  readonly removing: readonly NodeId[]
}

interface Elected {
  readonly leader: NodeId | null
  readonly unclean: boolean
}

/** The change to be recorded; null when everything stays as it is. */
export function decidePartition(asked: PartitionDecision): PartitionChangeRecord | null {
  const { topicId, partition } = asked
  const decision = withAssignment(asked)
  const isr = decision.isr ?? decision.partition.isr
  const candidates = eligibleBeforeElection(decision, isr)
  const elected = elect(decision, isr, candidates)
  const isrAfter = isrAfterElection(decision, isr, elected)
  const elrAfter = eligibleAfterElection(decision, candidates, isrAfter)
  const after = {
    leader: elected.leader,
    isr: isrAfter,
    elr: elrAfter,
    lastKnownElr: lastKnownAfter(decision, { isr: isrAfter, elr: elrAfter }, elected.leader),
    replicas: decision.partition.replicas,
    addingReplicas: decision.partition.addingReplicas,
    removingReplicas: decision.partition.removingReplicas,
    directories: decision.directories ?? decision.partition.directories,
    leaderRecovery: elected.unclean
      ? ('recovering' as const)
      : (decision.leaderRecovery ?? partition.leaderRecovery),
  }
  assert(after.leader === null || canServe(decision, after.leader), 'an inactive replica elected', {
    leader: after.leader,
  })
  return differenceOf(topicId, partition, after)
}

/**
 * The partition as it is to be assigned. A reassignment is complete when everybody who was to be added is in sync without those who
 * are to go (KIP-455): then they go.
 */
function withAssignment(decision: PartitionDecision): PartitionDecision {
  const { partition } = decision
  const directories = decision.directories ?? partition.directories
  const { replicas, adding, removing } = decision.assignment ?? {
    replicas: partition.replicas,
    adding: partition.addingReplicas,
    removing: partition.removingReplicas,
  }
  if (adding.length + removing.length === 0 && decision.assignment === undefined) return decision
  const stays = (id: NodeId): boolean => !removing.includes(id)
  const isr = (decision.isr ?? partition.isr).filter((id) => replicas.includes(id))
  const remaining = isr.filter(stays)
  const isComplete = remaining.length > 0 && adding.every((id) => remaining.includes(id))
  if (!isComplete) {
    const target = { ...partition, replicas, addingReplicas: adding, removingReplicas: removing, directories }
    return { ...decision, partition: target, isr, directories }
  }
  const kept = directories.filter((_, i) => stays(replicas[i]!))
  const target = { ...partition, replicas: replicas.filter(stays), addingReplicas: [], removingReplicas: [], directories: kept }
  return { ...decision, partition: target, isr: remaining, directories: kept }
}

/** Its broker is active and can use the directory that it lies in. */
function canServe(decision: PartitionDecision, replica: NodeId): boolean {
  const { replicas, directories } = decision.partition
  const directory = (decision.directories ?? directories)[replicas.indexOf(replica)]
  return decision.isActive(replica) && directory !== undefined && decision.isOnline(replica, directory)
}

/** May lead without losing what is committed: in sync, or eligible when nobody is in sync. */
function mayLead(
  decision: PartitionDecision,
  isr: readonly NodeId[],
  elr: readonly NodeId[],
  replica: NodeId,
): boolean {
  const isComplete = isr.includes(replica) || (isr.length === 0 && elr.includes(replica))
  return isComplete && canServe(decision, replica)
}

function elect(decision: PartitionDecision, isr: readonly NodeId[], elr: readonly NodeId[]): Elected {
  const {
    partition: { replicas, leader },
    election,
  } = decision
  const preferred = replicas[0]!
  if (election === 'preferred' && mayLead(decision, isr, elr, preferred))
    return { leader: preferred, unclean: false }
  if (leader !== null && mayLead(decision, isr, elr, leader)) return { leader, unclean: false }
  const clean = replicas.find((replica) => mayLead(decision, isr, elr, replica))
  if (clean !== undefined) return { leader: clean, unclean: false }
  return electUncleanly(decision, isr, elr)
}

/**
 * The last leader, once nobody is in sync or eligible, is the best guess there is (KIP-966 "last known
 * leader"): it is taken without asking, but as an unclean election, since a crash may have cost it records.
 */
function electUncleanly(
  decision: PartitionDecision,
  isr: readonly NodeId[],
  elr: readonly NodeId[],
): Elected {
  const {
    partition: { replicas, lastKnownElr },
    election,
  } = decision
  const [lastKnown, ...others] = lastKnownElr
  const lastLeaderDecides =
    decision.elr !== null && isr.length === 0 && elr.length === 0 && others.length === 0
  if (lastLeaderDecides && lastKnown !== undefined && canServe(decision, lastKnown))
    return { leader: lastKnown, unclean: true }
  if (election !== 'unclean') return { leader: null, unclean: false }
  const firstAble = replicas.find((replica) => canServe(decision, replica))
  return firstAble === undefined ? { leader: null, unclean: false } : { leader: firstAble, unclean: true }
}

/**
 * Members that leave an in-sync set below its minimum stay eligible: nothing can be committed without them
 * any more.
 */
function eligibleBeforeElection(
  { partition, elr }: PartitionDecision,
  isr: readonly NodeId[],
): readonly NodeId[] {
  if (elr === null) return partition.elr
  if (isr.length >= Math.min(elr.minIsr, partition.replicas.length)) return []
  return partition.replicas.filter((replica) => {
    const eligible = partition.isr.includes(replica) || partition.elr.includes(replica)
    return eligible && !isr.includes(replica) && replica !== elr.distrusted
  })
}

/** Elected from outside the in-sync set: it is the in-sync set from now on. */
function isrAfterElection(
  decision: PartitionDecision,
  isr: readonly NodeId[],
  elected: Elected,
): readonly NodeId[] {
  if (elected.leader !== null && !isr.includes(elected.leader)) return [elected.leader]
  // Without eligible leader replicas the last in-sync member is remembered by staying in the set.
  if (isr.length === 0 && decision.elr === null) return decision.partition.isr
  return isr
}

/**
 * Looks at the in-sync set a second time: the election may have filled it up to the minimum, and then its
 * leader commits alone and whoever was eligible falls behind.
 */
function eligibleAfterElection(
  { partition, elr }: PartitionDecision,
  candidates: readonly NodeId[],
  isr: readonly NodeId[],
): readonly NodeId[] {
  if (elr !== null && isr.length >= Math.min(elr.minIsr, partition.replicas.length)) return []
  return candidates.filter((replica) => !isr.includes(replica))
}

/**
 * Only a replica may be the last known leader: one that a reassignment took away has given up its log, and would begin with nothing
 * should it come back. Then it is the last that was eligible.
 */
function lastKnownAfter(
  { partition, elr }: PartitionDecision,
  after: { readonly isr: readonly NodeId[]; readonly elr: readonly NodeId[] },
  leader: NodeId | null,
): readonly NodeId[] {
  if (elr === null || leader !== null) return []
  const isReplica = (id: NodeId): boolean => partition.replicas.includes(id)
  const leadLast = after.isr.length === 0 && partition.leader !== null ? [partition.leader] : partition.lastKnownElr
  const known = leadLast.filter(isReplica)
  return known.length > 0 || after.elr.length > 0 ? known : partition.elr.filter(isReplica)
}

type PartitionAfter = Pick<
  PartitionRegistration,
  'replicas' | 'addingReplicas' | 'removingReplicas' | 'leader' | 'isr' | 'elr' | 'lastKnownElr' | 'directories' | 'leaderRecovery'
>

function differenceOf(
  topicId: Uuid,
  before: PartitionRegistration,
  after: PartitionAfter,
): PartitionChangeRecord | null {
  const loses = before.replicas.some((id) => !after.replicas.includes(id))
  const isSame = after.leader === before.leader
  // A replica that went may not acknowledge any more: the same leader begins a new epoch, as in Kafka.
  const unchanged = loses && after.leader !== null ? after.leader : 'unchanged'
  const leader: PartitionChangeRecord['leader'] = isSame ? unchanged : (after.leader ?? 'none')
  const change = {
    leader,
    replicas: ifChanged(before.replicas, after.replicas),
    addingReplicas: ifChanged(before.addingReplicas, after.addingReplicas),
    removingReplicas: ifChanged(before.removingReplicas, after.removingReplicas),
    isr: ifChanged(before.isr, after.isr),
    elr: ifChanged(before.elr, after.elr),
    lastKnownElr: ifChanged(before.lastKnownElr, after.lastKnownElr),
    directories: ifChanged(before.directories, after.directories),
    leaderRecovery: after.leaderRecovery === before.leaderRecovery ? null : after.leaderRecovery,
  }
  const { leader: _, ...sets } = change
  if (leader === 'unchanged' && Object.values(sets).every((set) => set === null)) return null
  return partitionChange(topicId, before.partition, change)
}

function ifChanged<Id>(before: readonly Id[], after: readonly Id[]): readonly Id[] | null {
  return before.length === after.length && before.every((id, i) => id === after[i]) ? null : after
}
