/** What DescribeQuorum tells, from what the core knows; the core's own clock is turned into wall-clock time. */
import type { Clock } from '@kavka/kernel'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { RaftOptions } from '../raft/options.ts'
import type { Progress } from '../raft/progress.ts'
import type { RaftCore } from '../raft/raft-core.ts'
import type { QuorumState, ReplicaState } from './driver-contract.ts'

export function quorumStateOf(core: RaftCore | null, options: RaftOptions, clock: Clock): QuorumState {
  const voterIds = options.voterIds.toSorted((a, b) => a - b)
  if (core === null) return stateBeforeStart(options, voterIds)
  const wallMsAt = wallClockOf(clock)
  const { progress, role, highWatermark, logEndOffset } = core
  const replica = (known: Progress): ReplicaState => ({
    nodeId: known.nodeId,
    logEndOffset: known.endOffset ?? -1,
    lastFetchMs: wallMsAt(known.lastFetchMs),
    lastCaughtUpMs: wallMsAt(known.lastCaughtUpMs),
  })
  const now = clock.wallMs()
  const self: ReplicaState = { nodeId: options.nodeId, logEndOffset, lastFetchMs: now, lastCaughtUpMs: now }
  const voters = progress === null ? [] : [self, ...progress.voters.map(replica)]
  return {
    ...role,
    highWatermark,
    logEndOffset,
    voterIds,
    voters: voters.toSorted((a, b) => a.nodeId - b.nodeId),
    observers: progress?.observers.map(replica) ?? [],
  }
}

function wallClockOf(clock: Clock): (coreMs: number) => number {
  const difference = clock.wallMs() - clock.monotonicMs()
  return (coreMs) => (coreMs < 0 ? -1 : Math.round(coreMs + difference))
}

function stateBeforeStart(options: RaftOptions, voterIds: QuorumState['voterIds']): QuorumState {
  return {
    kind: voterIds.includes(options.nodeId) ? 'unattached' : 'observer',
    epoch: 0 as LeaderEpoch,
    leaderId: null,
    highWatermark: 0 as Offset,
    logEndOffset: 0 as Offset,
    voterIds,
    voters: [],
    observers: [],
  }
}
