import { operations } from '../history/operation.ts'
import type { History, PartitionView } from '../history/operation.ts'

/** From a time on, a partition looked like this (to whoever knew the highest epoch). */
export interface LeadershipChange extends PartitionView {
  readonly atMs: number
}

/** Changes of leader or in-sync set for each partition, in time. */
export function leadershipChanges(history: History): Map<string, LeadershipChange[]> {
  const changes = new Map<string, LeadershipChange[]>()
  for (const { partitions, returnedMs } of operations(history, 'metadata').sort((a, b) => a.returnedMs - b.returnedMs)) {
    for (const seen of partitions) {
      const known = changes.get(seen.key) ?? []
      const last = known.at(-1)
      if (last !== undefined && (seen.leaderEpoch < last.leaderEpoch || looksLike(last, seen))) continue
      known.push({ ...seen, atMs: returnedMs })
      changes.set(seen.key, known)
    }
  }
  return changes
}

/** How often leaders changed and in-sync sets shrank within a time. */
export function changesWithin(history: ReadonlyMap<string, readonly LeadershipChange[]>, fromMs: number, toMs: number): { leaders: number; shrinks: number } {
  let leaders = 0
  let shrinks = 0
  for (const changes of history.values()) {
    changes.forEach((change, index) => {
      const before = changes[index - 1]
      if (before === undefined || change.atMs < fromMs || change.atMs > toMs) return
      if (change.leader !== before.leader && change.leader >= 0) leaders += 1
      if (change.isr.length < before.isr.length) shrinks += 1
    })
  }
  return { leaders, shrinks }
}

function looksLike(a: PartitionView, b: PartitionView): boolean {
  return a.leader === b.leader && a.leaderEpoch === b.leaderEpoch && a.isr.join() === b.isr.join()
}
