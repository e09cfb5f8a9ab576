/** `first-failure.ts <from> <seeds> <seconds> <predicate> <fault>`: the first seed that chooses the fault and whose run breaks the predicate; `-`: any. */
import { simulate, swarmOf } from '../simulate.ts'

const [from, seeds, seconds] = process.argv.slice(2, 5).map(Number) as [number, number, number]
const [only, fault] = process.argv.slice(5, 7) as [string, string]
const untilMs = performance.now() + seconds * 1_000
let seed = from
let failed: string | null = null
while (failed === null && seed < from + seeds && performance.now() < untilMs) {
  const isMeant = fault === '-' || swarmOf(seed).faultKinds.some((kind) => kind === fault)
  const violation = isMeant ? (await simulate({ seed, ...(only === '-' ? {} : { only }) })).violation : null
  if (violation === null) seed++
  else failed = violation.name
}
console.log(failed === null ? `HELD ${seed - from}` : `SEED=${seed} ${failed}`)
// Whatever a broken run has left behind must not keep this process.
process.exit(0)
