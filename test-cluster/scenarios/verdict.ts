import type { PartitionWriter } from './partition-writer.ts'
import type { ReadRecord } from './read-partition.ts'

/** What a fresh read of everything says about what was acknowledged. Every number but the first must be 0. */
export interface Verdict {
  acknowledged: number
  /** Acknowledged and not there, or not at the offset that was promised. */
  lost: number
  /** There more than once, though its producer was idempotent. */
  duplicated: number
  /** After a later record of the same producer. */
  reordered: number
  /** There more than once, by a producer that is not idempotent and sent it more than once: allowed. */
  duplicatesAllowed: number
}

/** Judges what one writer was promised against what its partition holds. */
export function judge(writer: PartitionWriter, records: readonly ReadRecord[]): Verdict {
  const verdict: Verdict = { acknowledged: 0, lost: 0, duplicated: 0, reordered: 0, duplicatesAllowed: 0 }
  const prefix = `${writer.options.name}/${writer.options.partition}/`
  const byOffset = new Map<number, number>()
  const seen = new Map<number, number>()
  let last = -1
  for (const { offset, value } of records) {
    if (!value.startsWith(prefix)) continue
    const index = Number(value.slice(prefix.length, value.indexOf('/', prefix.length)))
    byOffset.set(offset, index)
    const times = (seen.get(index) ?? 0) + 1
    seen.set(index, times)
    if (times > 1) {
      if (writer.options.producer === null) verdict.duplicatesAllowed += 1
      else verdict.duplicated += 1
    } else if (index < last) verdict.reordered += 1
    last = Math.max(last, index)
  }
  for (const { firstIndex, count, baseOffset } of writer.acknowledged) {
    verdict.acknowledged += count
    for (let index = 0; index < count; index++) if (byOffset.get(baseOffset + index) !== firstIndex + index) verdict.lost += 1
  }
  return verdict
}

export function sumOf(verdicts: readonly Verdict[]): Verdict {
  const sum: Verdict = { acknowledged: 0, lost: 0, duplicated: 0, reordered: 0, duplicatesAllowed: 0 }
  for (const verdict of verdicts) for (const key of Object.keys(sum) as (keyof Verdict)[]) sum[key] += verdict[key]
  return sum
}
