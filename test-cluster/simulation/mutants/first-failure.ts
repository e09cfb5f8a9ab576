/** `first-failure.ts <from> <seeds> <seconds> [predicate]`: the first seed whose run breaks a predicate, or that one. */
import { simulate } from '../simulate.ts'

const [from, seeds, seconds] = process.argv.slice(2, 5).map(Number) as [number, number, number]
const only = process.argv[5]
const untilMs = performance.now() + seconds * 1_000
let seed = from
let failed: string | null = null
while (failed === null && seed < from + seeds && performance.now() < untilMs) {
  const { violation } = await simulate({ seed, ...(only === undefined ? {} : { only }) })
  if (violation === null) seed++
  else failed = violation.name
}
console.log(failed === null ? `HELD ${seed - from}` : `SEED=${seed} ${failed}`)
// Whatever a broken run has left behind must not keep this process.
process.exit(0)
