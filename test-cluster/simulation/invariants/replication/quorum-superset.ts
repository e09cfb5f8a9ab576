/** P4: whom the controller takes to be in sync, the leader waits for, whether it has heard of it or not. */

/** As a leader keeps it. */
export interface LeaderIsr {
  readonly kind: 'committed' | 'expanding' | 'shrinking'
  readonly isr: readonly number[]
  readonly joining?: number
}

/** Members of the committed set that the leader does not wait for; there must be none while it can commit. */
export function notWaitedFor(known: LeaderIsr, committed: { readonly isr: readonly number[]; readonly minIsr: number }): number[] {
  if (committed.isr.length < committed.minIsr) return []
  return committed.isr.filter((id) => !known.isr.includes(id) && !(known.kind === 'expanding' && known.joining === id))
}
