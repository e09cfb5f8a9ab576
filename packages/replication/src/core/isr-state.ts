import { assert } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'

/**
 * The in-sync set of a partition as its leader knows it.
 *
 *   committed ──propose──▶ expanding | shrinking ──answer or newer metadata──▶ committed
 *
 * While a proposal is under way nobody knows whether the controller took it, so decisions use the set that is
 * safe either way, the maximal ISR (KIP-497): a joining member already counts, a leaving one still does.
 */
export type IsrState =
  | { readonly kind: 'committed'; readonly isr: readonly NodeId[] }
  | { readonly kind: 'expanding'; readonly isr: readonly NodeId[]; readonly joining: NodeId }
  | { readonly kind: 'shrinking'; readonly isr: readonly NodeId[]; readonly leaving: readonly NodeId[] }

/** Settled by the controller. */
export function committedIsr(isr: readonly NodeId[]): IsrState {
  return { kind: 'committed', isr }
}

/** Proposes one more member. */
export function expandIsr(state: IsrState, joining: NodeId): IsrState {
  assert(state.kind === 'committed', 'one proposal at a time', { kind: state.kind })
  assert(!state.isr.includes(joining), 'already in sync', { joining })
  return { kind: 'expanding', isr: state.isr, joining }
}

/** Proposes to go on without some members. */
export function shrinkIsr(state: IsrState, leaving: readonly NodeId[]): IsrState {
  assert(state.kind === 'committed', 'one proposal at a time', { kind: state.kind })
  assert(leaving.length > 0, 'nobody leaves')
  return { kind: 'shrinking', isr: state.isr, leaving }
}

/** Forgets a proposal that the controller certainly did not take. */
export function revertIsr(state: IsrState): IsrState {
  return committedIsr(state.isr)
}

/** The set that a proposal asks for. */
export function proposedIsr(state: IsrState): readonly NodeId[] {
  switch (state.kind) {
    case 'committed':
      return state.isr
    case 'expanding':
      return [...state.isr, state.joining]
    case 'shrinking':
      return state.isr.filter((id) => !state.leaving.includes(id))
  }
}

/** Does `id` hold back the high watermark whatever the controller decides? */
export function inMaximalIsr(state: IsrState, id: NodeId): boolean {
  return state.isr.includes(id) || (state.kind === 'expanding' && state.joining === id)
}

/** Members of the maximal ISR. */
export function maximalIsrSize(state: IsrState): number {
  return state.isr.length + (state.kind === 'expanding' ? 1 : 0)
}
