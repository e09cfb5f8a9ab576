/** `first-failure.ts <from> <seeds> <seconds>`: the first seed whose run breaks a predicate. */
import { simulate } from '../simulate.ts'

const [from, seeds, seconds] = process.argv.slice(2).map(Number) as [number, number, number]
const untilMs = performance.now() + seconds * 1_000
let seed = from
let failed: string | null = null
while (failed === null && seed < from + seeds && performance.now() < untilMs) {
  const { violation } = await simulate({ seed })
  if (violation === null) seed++
  else failed = violation.name
}
console.log(failed === null ? `HELD ${seed - from}` : `SEED=${seed} ${failed}`)
// Whatever a broken run has left behind must not keep this process.
process.exit(0)
