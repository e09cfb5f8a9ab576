/** What the active controller does to partitions by itself from time to time. */
import type { NodeId } from '@kavka/protocol'
import { allowsUncleanElection } from '../configs/effective.ts'
import type { DecisionContext } from '../decision.ts'
import type { MetadataImage, PartitionRegistration } from '../image.ts'
import type { LocatedPartition } from '../partition-index.ts'
import { partitionsIn } from '../partition-index.ts'
import type { PartitionChangeRecord } from '../records.ts'
import { canServe, electionRecords } from './partition-changes.ts'

/** Elections in one pass; what is left over is for the next one, which follows at once. */
export const ELECTIONS_PER_PASS_MAX = 1000

/** Leadership back to preferred replicas that are in sync and active, and may have it. */
export function preferredElections(
  context: DecisionContext,
  mayHave: (brokerId: NodeId) => boolean,
): PartitionChangeRecord[] {
  const { image } = context
  const ready = taken(partitionsIn(image, image.index.imbalanced), (located) => {
    return awaitsPreferred(image, located.registration) && mayHave(located.registration.replicas[0]!)
  })
  return electionRecords(context, ready, 'preferred')
}

/** Led by another replica though the preferred one is in sync and active. */
export function awaitsPreferred(
  image: MetadataImage,
  partition: PartitionRegistration,
): boolean {
  const { leader, replicas, isr } = partition
  const preferred = replicas[0]!
  return leader !== null && leader !== preferred && isr.includes(preferred) && canServe(image, partition, preferred)
}

/**
 * Leaderless partitions that somebody may lead: what a controller left undone that died while a broker's return went into the log in
 * several entries.
 */
export function overdueElections(context: DecisionContext): PartitionChangeRecord[] {
  const { image } = context
  const electable = taken(partitionsIn(image, image.index.leaderless), ({ registration }) => {
    const { isr, elr } = registration
    return [...isr, ...elr].some((id) => canServe(image, registration, id))
  })
  return electionRecords(context, electable, 'online')
}

/** Leaderless partitions whose topics allow unclean election. */
export function uncleanElections(context: DecisionContext): PartitionChangeRecord[] {
  const { image, settings } = context
  const allowed = taken(
    partitionsIn(image, image.index.leaderless),
    ({ topic, registration }) => {
      const isAllowed = allowsUncleanElection(image, settings, topic.name)
      return isAllowed && registration.replicas.some((id) => canServe(image, registration, id))
    },
  )
  return electionRecords(context, allowed, 'unclean')
}

/** As many as one pass may elect. */
function* taken(
  partitions: Iterable<LocatedPartition>,
  wanted: (one: LocatedPartition) => boolean,
): Generator<LocatedPartition> {
  let count = 0
  for (const one of partitions) {
    if (!wanted(one)) continue
    yield one
    if (++count === ELECTIONS_PER_PASS_MAX) return
  }
}
