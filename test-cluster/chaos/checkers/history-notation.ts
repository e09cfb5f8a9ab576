/** Short forms of operations, for histories written by hand in tests. Times are `[invoked, returned]`. */
import type {
  Assigned, CommitOffset, MemberCommit, Poll, ReadCommitted, ReadLatest, SeeMetadata, SeeQuorum, Send,
} from '../history/operation.ts'

type Times = readonly [invokedMs: number, returnedMs: number]
type Extra<Op> = Partial<Omit<Op, 'f'>>

const ok = { outcome: 'ok', error: null } as const

function at([invokedMs, returnedMs]: Times): { invokedMs: number; returnedMs: number } {
  return { invokedMs, returnedMs }
}

/** An acknowledged batch of the idempotent producer `w`. */
export function send(times: Times, values: readonly number[], baseOffset: number | null, extra: Extra<Send> = {}): Send {
  return { f: 'send', process: 'w', key: 'p', values, baseOffset, idempotent: true, attempts: 1, ...ok, ...at(times), ...extra }
}

/** A batch of which nobody knows whether it was stored. */
export function lostAnswer(invokedMs: number, values: readonly number[], extra: Extra<Send> = {}): Send {
  return send([invokedMs, Infinity], values, null, { outcome: 'info', error: 'CONNECTION_LOST', ...extra })
}

export function refused(times: Times, values: readonly number[], extra: Extra<Send> = {}): Send {
  return send(times, values, null, { outcome: 'fail', error: 'NOT_ENOUGH_REPLICAS', ...extra })
}

/** A fetch of the reader `r`; records as `[offset, value]`. The high watermark is behind the last of them unless told. */
export function poll(times: Times, records: readonly (readonly [offset: number, value: number])[], extra: Extra<Poll> = {}): Poll {
  return {
    f: 'poll', process: 'r', key: 'p', from: records[0]?.[0] ?? 0, offsets: records.map(([offset]) => offset), values: records.map(([, value]) => value),
    highWatermark: (records.at(-1)?.[0] ?? -1) + 1, leaderEpoch: 0, position: 'continued', final: false, ...ok, ...at(times), ...extra,
  }
}

/** The read of everything at the end. */
export function finalPoll(records: readonly (readonly [offset: number, value: number])[], extra: Extra<Poll> = {}): Poll {
  return poll([1000, 1001], records, { process: 'final', final: true, position: 'seek', ...extra })
}

export function latest(times: Times, offset: number, extra: Extra<ReadLatest> = {}): ReadLatest {
  return { f: 'latest', process: 'l', key: 'p', offset, leaderEpoch: 0, ...ok, ...at(times), ...extra }
}

export function commit(times: Times, offset: number, extra: Extra<CommitOffset> = {}): CommitOffset {
  return { f: 'commit', process: 'c', register: 'g/0', offset, ...ok, ...at(times), ...extra }
}

export function lostCommit(invokedMs: number, offset: number): CommitOffset {
  return commit([invokedMs, Infinity], offset, { outcome: 'info', error: 'CONNECTION_LOST' })
}

export function committed(times: Times, offset: number, extra: Extra<ReadCommitted> = {}): ReadCommitted {
  return { f: 'committed', process: 'o', register: 'g/0', offset, ...ok, ...at(times), ...extra }
}

/** What a broker said about partition `p`. */
export function metadata(atMs: number, broker: number, leader: number, leaderEpoch: number, isr: readonly number[]): SeeMetadata {
  return {
    f: 'metadata', process: `b${broker}`, broker, partitions: [{ key: 'p', leader, leaderEpoch, isr }], ...ok, ...at([atMs, atMs + 1]),
  }
}

export function quorum(atMs: number, leader: number, epoch: number): SeeQuorum {
  return { f: 'quorum', process: 'q', leader, epoch, ...ok, ...at([atMs, atMs + 1]) }
}

export function assigned(times: Times, member: string, generation: number, keys: readonly string[]): Assigned {
  return { f: 'assigned', process: member, group: 'g', member, generation, keys, ...ok, ...at(times) }
}

export function memberCommit(times: Times, member: string, generation: number, key: string, extra: Extra<MemberCommit> = {}): MemberCommit {
  return { f: 'member-commit', process: member, group: 'g', member, generation, key, ...ok, ...at(times), ...extra }
}
