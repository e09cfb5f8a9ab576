/** Checkers of what brokers say about leaders. */
import { operations } from '../history/operation.ts'
import type { History, PartitionView } from '../history/operation.ts'
import type { Checker } from './checker.ts'

interface Sighting extends PartitionView {
  readonly broker: number
  readonly atMs: number
}

export const epochs: Checker = {
  name: 'K-EPOCH',
  finds: 'two leaders in one epoch, of a partition or of the quorum, or a broker whose leader epoch went back',
  check: (history) => [
    ...[...byPartition(history).values()].flatMap((seen) => [...twoLeaders(seen[0]!.key, seen), ...epochsGoingBack(seen)]),
    ...twoLeaders('the metadata quorum', operations(history, 'quorum').map(({ leader, epoch }) => ({ leader, leaderEpoch: epoch }))),
  ],
}

/**
 * A leader that was not eligible in the epoch before (KIP-966: in sync, or gone from an in-sync set that was below the minimum since),
 * and that is alone in its in-sync set. One that was let in and elected between two looks has company in its set.
 */
export const dirtyLeader: Checker = {
  name: 'K-DIRTY-LEADER',
  finds: 'a leader that was not eligible when it was elected',
  check: (history, { inSyncMin }) => [...byPartition(history).values()].flatMap((seen) => electedUncleanly(seen, inSyncMin)),
}

function byPartition(history: History): Map<string, Sighting[]> {
  const seen = operations(history, 'metadata').filter(({ outcome }) => outcome === 'ok').flatMap(({ broker, partitions, returnedMs }) =>
    partitions.map((partition) => ({ ...partition, broker, atMs: returnedMs })))
  return Map.groupBy(seen, ({ key }) => key)
}

function twoLeaders(what: string, seen: readonly Pick<Sighting, 'leader' | 'leaderEpoch'>[]): string[] {
  const leaders = new Map<number, Set<number>>()
  for (const { leaderEpoch, leader } of seen) {
    if (leader >= 0) leaders.set(leaderEpoch, (leaders.get(leaderEpoch) ?? new Set()).add(leader))
  }
  return [...leaders].filter(([, of]) => of.size > 1).map(([epoch, of]) => `${what}: leaders ${[...of].join(' and ')} in epoch ${epoch}`)
}

function epochsGoingBack(seen: readonly Sighting[]): string[] {
  return [...Map.groupBy(seen, ({ broker }) => broker)].flatMap(([broker, ofBroker]) => ofBroker.flatMap((now, index) => {
    const before = ofBroker[index - 1]
    return before !== undefined && now.leaderEpoch < before.leaderEpoch
      ? [`${now.key}: broker ${broker} said epoch ${before.leaderEpoch}, then ${now.leaderEpoch}`]
      : []
  }))
}

function electedUncleanly(seen: readonly Sighting[], inSyncMin: number): string[] {
  const inOrder = seen.toSorted((a, b) => a.leaderEpoch - b.leaderEpoch || a.atMs - b.atMs)
  const found: string[] = []
  let eligible: ReadonlySet<number> | 'unknown' = 'unknown'
  inOrder.forEach((now, index) => {
    const before = inOrder[index - 1]
    const isNewLeader = before !== undefined && now.leader >= 0 && now.leaderEpoch === before.leaderEpoch + 1
    const isAlone = now.isr.length === 1 && now.isr[0] === now.leader
    if (isNewLeader && isAlone && eligible !== 'unknown' && !eligible.has(now.leader)) {
      found.push(`${now.key}: ${now.leader} leads epoch ${now.leaderEpoch}, when ${[...eligible].join(', ')} were eligible`)
    }
    // Epochs in between that nobody saw may have made anybody eligible.
    const isKnown = before === undefined || now.leaderEpoch <= before.leaderEpoch + 1
    if (now.isr.length >= inSyncMin) eligible = new Set(now.isr)
    else if (isKnown && eligible !== 'unknown') eligible = new Set([...eligible, ...now.isr])
    else eligible = 'unknown'
  })
  return found
}
