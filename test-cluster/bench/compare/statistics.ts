/** What several runs say together. */

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly count: number
}

/** Null without values. The median of an even number is the mean of the two in the middle. */
export function summarize(values: readonly number[]): Summary | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)!, count: sorted.length }
}

/** Values of one side by round. */
export type ByRound = ReadonlyMap<number, number>

export interface Ratio {
  /** Of the medians. */
  readonly ofMedians: number
  /** Smallest and largest ratio of the two runs of one round, which had the most in common; null where fewer than two rounds have both. */
  readonly ofRounds: { readonly min: number; readonly max: number } | null
}

/** How many times the second side is the first; null when one has no values or the first is zero. */
export function ratioOf(first: ByRound, second: ByRound): Ratio | null {
  const [one, other] = [summarize([...first.values()]), summarize([...second.values()])]
  if (one === null || other === null || one.median === 0) return null
  const rounds = [...first].flatMap(([round, value]) => {
    const paired = second.get(round)
    return paired === undefined || value === 0 ? [] : [paired / value]
  })
  const spread = summarize(rounds)
  return { ofMedians: other.median / one.median, ofRounds: spread === null || spread.count < 2 ? null : { min: spread.min, max: spread.max } }
}
