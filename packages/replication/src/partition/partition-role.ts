/** What a replica is to its partition, and how it begins to lead. */
import { directoryOf } from '@kavka/controller'
import type { PartitionRegistration } from '@kavka/controller'
import type { LeaderEpoch, NodeId, Uuid } from '@kavka/protocol'
import type { PartitionLog } from '@kavka/storage'
import type { FollowerState } from '../core/follower-state.ts'
import { LeaderState } from '../core/leader-state.ts'

/**
 *   follower ⇄ leader     by metadata
 *      └───┬────┘
 *        offline          the log failed, is damaged, or could not be opened; ends with the process, or with a repair
 */
export type PartitionRole =
  | { readonly kind: 'leader'; readonly state: LeaderState }
  /** `state` is null while no leader can be had. */
  | { readonly kind: 'follower'; readonly state: FollowerState | null }
  | { readonly kind: 'offline'; readonly errorCode: number }

/** What a registration changed, for the listeners of leadership. */
export interface RoleChange {
  readonly elected: LeaderEpoch | null
  readonly resigned: LeaderEpoch | null
}

export const NO_CHANGE: RoleChange = { elected: null, resigned: null }

/** What a leader knows of the brokers. */
export interface BrokerKnowledge {
  readonly isEligible: (id: NodeId, brokerEpoch: number) => boolean
  /** The broker can use that log directory. */
  readonly hasOnlineDirectory: (id: NodeId, directory: Uuid) => boolean
  readonly brokerEpochOf: (id: NodeId) => number
}

/** The leader's state at the start of its epoch. `registration` gives the newest, which may place replicas in other directories by then. */
export function leaderStateAt(
  start: { readonly localId: NodeId; readonly lagMsMax: number; readonly nowMs: number; readonly log: PartitionLog },
  registration: () => PartitionRegistration,
  { isEligible, hasOnlineDirectory, brokerEpochOf }: BrokerKnowledge,
): LeaderState {
  const { localId, lagMsMax, nowMs, log } = start
  const { leaderEpoch, partitionEpoch, replicas, isr } = registration()
  const { logEndOffset: epochStart, durableEndOffset: durableEnd, highWatermark } = log
  return new LeaderState(
    { localId, leaderEpoch, partitionEpoch, replicas, isr, epochStart, durableEnd, highWatermark, lagMsMax, nowMs },
    {
      minInsyncReplicas: () => log.config.minInsyncReplicas,
      // Nor does the controller take back a replica that is marked as lost, or whose directory failed.
      isEligible: (id, brokerEpoch) => isEligible(id, brokerEpoch) && hasOnlineDirectory(id, directoryOf(registration(), id)),
      brokerEpochOf,
    },
  )
}
