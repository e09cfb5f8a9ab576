/**
 * What clients did and saw, each operation from its invocation to its completion. Times are milliseconds of one monotonic clock.
 * `fail` says that an operation certainly had no effect; `info` that nobody knows, now or later.
 */
export type Outcome = 'ok' | 'fail' | 'info'

export interface Timed {
  /** The single-threaded client that did it: its operations follow each other unless it says otherwise. */
  readonly process: string
  readonly invokedMs: number
  /** Infinity: never came back. */
  readonly returnedMs: number
  readonly outcome: Outcome
  /** Name of the error; null when ok. */
  readonly error: string | null
}

/** One batch to one partition with acks=all. Values are unique in a history. */
export interface Send extends Timed {
  readonly f: 'send'
  readonly key: string
  readonly values: readonly number[]
  /** Offset of the first value; null unless ok (and for an ok that did not tell). */
  readonly baseOffset: number | null
  readonly idempotent: boolean
  readonly attempts: number
}

/** One fetch from a partition's leader. */
export interface Poll extends Timed {
  readonly f: 'poll'
  readonly key: string
  readonly from: number
  readonly offsets: readonly number[]
  readonly values: readonly number[]
  readonly highWatermark: number
  readonly leaderEpoch: number
  /** `seek`: the position was chosen anew, so that it need not follow the process's last poll. */
  readonly position: 'continued' | 'seek'
  /** Read after healing by a fresh client from the first offset to the last. */
  readonly final: boolean
}

/** ListOffsets(latest) from a partition's leader. */
export interface ReadLatest extends Timed {
  readonly f: 'latest'
  readonly key: string
  readonly offset: number
  readonly leaderEpoch: number
}

/** OffsetCommit; `register` is group and partition. */
export interface CommitOffset extends Timed {
  readonly f: 'commit'
  readonly register: string
  readonly offset: number
}

/** OffsetFetch: the committed offset or -1. */
export interface ReadCommitted extends Timed {
  readonly f: 'committed'
  readonly register: string
  readonly offset: number
}

export interface PartitionView {
  readonly key: string
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
}

/** What one broker said about the cluster. Recorded when it differs from what that broker said before. */
export interface SeeMetadata extends Timed {
  readonly f: 'metadata'
  readonly broker: number
  readonly partitions: readonly PartitionView[]
}

/** Who leads the metadata quorum. Recorded when it differs from the last answer. */
export interface SeeQuorum extends Timed {
  readonly f: 'quorum'
  readonly leader: number
  readonly epoch: number
}

/** A member learned what it owns in a generation. */
export interface Assigned extends Timed {
  readonly f: 'assigned'
  readonly group: string
  readonly member: string
  readonly generation: number
  readonly keys: readonly string[]
}

/** OffsetCommit by a member of a generation for a partition that it owns. */
export interface MemberCommit extends Timed {
  readonly f: 'member-commit'
  readonly group: string
  readonly member: string
  readonly generation: number
  readonly key: string
}

export type Operation = Send | Poll | ReadLatest | CommitOffset | ReadCommitted | SeeMetadata | SeeQuorum | Assigned | MemberCommit
export type OperationKind = Operation['f']
export type History = readonly Operation[]

/** Operations of one kind, in the order in which they were invoked. */
export function operations<Kind extends OperationKind>(history: History, f: Kind): Extract<Operation, { f: Kind }>[] {
  const chosen = history.filter((one): one is Extract<Operation, { f: Kind }> => one.f === f)
  return chosen.sort((a, b) => a.invokedMs - b.invokedMs)
}
