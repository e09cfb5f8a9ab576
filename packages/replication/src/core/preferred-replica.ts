import type { NodeId } from '@kavka/protocol'

/** A replica that a consumer could read from; all named here are in sync, alive and have the offset wanted. */
export interface ReadableReplica {
  readonly id: NodeId
  readonly rack: string | null
  readonly logEndOffset: number
  readonly caughtUpMs: number
}

/**
 * The rack-aware choice of KIP-392: the leader when it is in the consumer's rack or nobody is, else the follower
 * there that has most. Null stands for the leader.
 */
export function preferredReplica(
  rack: string,
  leader: { readonly rack: string | null },
  followers: Iterable<ReadableReplica>,
): NodeId | null {
  if (rack === '' || leader.rack === rack) return null
  let best: ReadableReplica | null = null
  for (const follower of followers) {
    if (follower.rack === rack && (best === null || isBetter(follower, best))) best = follower
  }
  return best?.id ?? null
}

function isBetter(a: ReadableReplica, b: ReadableReplica): boolean {
  if (a.logEndOffset !== b.logEndOffset) return a.logEndOffset > b.logEndOffset
  if (a.caughtUpMs !== b.caughtUpMs) return a.caughtUpMs > b.caughtUpMs
  return a.id < b.id
}
