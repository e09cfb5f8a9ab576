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
  finds: 'two leaders in one epoch, or a broker whose leader epoch went back',
  check: (history) => [...byPartition(history).values()].flatMap((seen) => [...twoLeaders(seen), ...epochsGoingBack(seen)]),
}

/**
 * A leader that nobody ever saw in sync during the epoch before, and that is alone in its in-sync set: elected uncleanly. One that was
 * let in and elected between two looks has company in its set.
 */
export const dirtyLeader: Checker = {
  name: 'K-DIRTY-LEADER',
  finds: 'a leader that was not in sync when it was elected',
  check: (history) => [...byPartition(history).values()].flatMap(electedOutOfSync),
}

function byPartition(history: History): Map<string, Sighting[]> {
  const seen = operations(history, 'metadata').filter(({ outcome }) => outcome === 'ok').flatMap(({ broker, partitions, returnedMs }) =>
    partitions.map((partition) => ({ ...partition, broker, atMs: returnedMs })))
  return Map.groupBy(seen, ({ key }) => key)
}

function twoLeaders(seen: readonly Sighting[]): string[] {
  const leaders = new Map<number, Set<number>>()
  for (const { leaderEpoch, leader } of seen) {
    if (leader >= 0) leaders.set(leaderEpoch, (leaders.get(leaderEpoch) ?? new Set()).add(leader))
  }
  return [...leaders].filter(([, of]) => of.size > 1).map(([epoch, of]) => `${seen[0]!.key}: leaders ${[...of].join(' and ')} in epoch ${epoch}`)
}

function epochsGoingBack(seen: readonly Sighting[]): string[] {
  return [...Map.groupBy(seen, ({ broker }) => broker)].flatMap(([broker, ofBroker]) => ofBroker.flatMap((now, index) => {
    const before = ofBroker[index - 1]
    return before !== undefined && now.leaderEpoch < before.leaderEpoch
      ? [`${now.key}: broker ${broker} said epoch ${before.leaderEpoch}, then ${now.leaderEpoch}`]
      : []
  }))
}

function electedOutOfSync(seen: readonly Sighting[]): string[] {
  const ofEpoch = Map.groupBy(seen, ({ leaderEpoch }) => leaderEpoch)
  const known = [...ofEpoch.keys()].sort((a, b) => a - b)
  return known.flatMap((epoch, index) => {
    const first = ofEpoch.get(epoch)!.find(({ leader }) => leader >= 0)
    const before = index === 0 ? undefined : ofEpoch.get(known[index - 1]!)
    // Epochs in between that nobody saw may have let it in.
    if (first === undefined || before === undefined || known[index - 1] !== epoch - 1) return []
    const wasInSync = before.some(({ isr, leader }) => isr.includes(first.leader) || leader === first.leader)
    const alone = first.isr.length === 1 && first.isr[0] === first.leader
    return alone && !wasInSync ? [`${first.key}: ${first.leader} leads epoch ${epoch} and was not in sync in epoch ${epoch - 1}`] : []
  })
}
