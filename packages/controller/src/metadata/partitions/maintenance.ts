/** What the active controller does to partitions by itself from time to time. */
import { allowsUncleanElection } from '../configs/effective.ts'
import type { DecisionContext } from '../decision.ts'
import type { LocatedPartition } from '../partition-index.ts'
import { partitionsIn } from '../partition-index.ts'
import type { PartitionChangeRecord } from '../records.ts'
import { electionRecords, isActive } from './partition-changes.ts'

/** Elections in one pass; what is left over is for the next one, which follows at once. */
export const ELECTIONS_PER_PASS_MAX = 1000

/** Leadership back to preferred replicas that are in sync and active. */
export function preferredElections(context: DecisionContext): PartitionChangeRecord[] {
  const { image } = context
  const ready = taken(partitionsIn(image, image.index.imbalanced), ({ registration: { replicas, isr } }) => {
    return isr.includes(replicas[0]!) && isActive(image, replicas[0]!)
  })
  return electionRecords(context, ready, 'preferred')
}

/** Leaderless partitions whose topics allow unclean election. */
export function uncleanElections(context: DecisionContext): PartitionChangeRecord[] {
  const { image, settings } = context
  const allowed = taken(partitionsIn(image, image.index.leaderless), ({ topic, registration: { replicas } }) => {
    return allowsUncleanElection(image, settings, topic.name) && replicas.some((id) => isActive(image, id))
  })
  return electionRecords(context, allowed, 'unclean')
}

/** As many as one pass may elect. */
function* taken(partitions: Iterable<LocatedPartition>, wanted: (one: LocatedPartition) => boolean): Generator<LocatedPartition> {
  let count = 0
  for (const one of partitions) {
    if (!wanted(one)) continue
    yield one
    if (++count === ELECTIONS_PER_PASS_MAX) return
  }
}
