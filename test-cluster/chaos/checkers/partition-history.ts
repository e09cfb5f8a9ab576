import { operations } from '../history/operation.ts'
import type { History, Poll, Send } from '../history/operation.ts'

/** What a history says about one partition, arranged for the checkers. */
export interface PartitionHistory {
  readonly key: string
  readonly sends: readonly Send[]
  readonly polls: readonly Poll[]
  /** Every value that anybody saw at an offset: in any poll, whatever became of it, or by an acknowledgment. */
  readonly valuesAt: ReadonlyMap<number, ReadonlySet<number>>
  /** Offsets at which a value was seen, ascending. */
  readonly offsetsOf: ReadonlyMap<number, readonly number[]>
  /** Known offsets in order, gaps dropped: offset → position in that order. */
  readonly denseIndex: ReadonlyMap<number, number>
  /** Values that a poll returned. */
  readonly polled: ReadonlySet<number>
  readonly writerOf: ReadonlyMap<number, Send>
}

export function partitionHistories(history: History): PartitionHistory[] {
  const sends = Map.groupBy(operations(history, 'send'), ({ key }) => key)
  const polls = Map.groupBy(operations(history, 'poll'), ({ key }) => key)
  const keys = new Set([...sends.keys(), ...polls.keys()])
  return [...keys].sort().map((key) => arrange(key, sends.get(key) ?? [], polls.get(key) ?? []))
}

/** True when the operation certainly happened: acknowledged, or unknown with one of its values seen. */
export function didHappen(send: Send, { polled }: PartitionHistory): boolean {
  return send.outcome === 'ok' || (send.outcome === 'info' && send.values.some((value) => polled.has(value)))
}

function arrange(key: string, sends: readonly Send[], polls: readonly Poll[]): PartitionHistory {
  const seen = new Sightings()
  const polled = new Set<number>()
  const writerOf = new Map<number, Send>()
  for (const poll of polls) {
    poll.offsets.forEach((offset, index) => seen.add(offset, poll.values[index]!))
    for (const value of poll.values) polled.add(value)
  }
  for (const send of sends) {
    const { baseOffset, values } = send
    values.forEach((value, index) => {
      writerOf.set(value, send)
      if (baseOffset !== null && send.outcome === 'ok') seen.add(baseOffset + index, value)
    })
  }
  return { key, sends, polls, polled, writerOf, ...seen.arranged() }
}

class Sightings {
  readonly #valuesAt = new Map<number, Set<number>>()
  readonly #offsetsOf = new Map<number, Set<number>>()

  add(offset: number, value: number): void {
    addTo(this.#valuesAt, offset, value)
    addTo(this.#offsetsOf, value, offset)
  }

  arranged(): Pick<PartitionHistory, 'valuesAt' | 'offsetsOf' | 'denseIndex'> {
    const inOrder = [...this.#valuesAt.keys()].sort((a, b) => a - b)
    const offsetsOf = new Map([...this.#offsetsOf].map(([value, offsets]) => [value, [...offsets].sort((a, b) => a - b)]))
    return { valuesAt: this.#valuesAt, offsetsOf, denseIndex: new Map(inOrder.map((offset, index) => [offset, index])) }
  }
}

function addTo(sets: Map<number, Set<number>>, at: number, member: number): void {
  const set = sets.get(at)
  if (set === undefined) sets.set(at, new Set([member]))
  else set.add(member)
}
