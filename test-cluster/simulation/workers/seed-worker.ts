/** A process of its own that plays the seeds it is sent, one after the other, and answers with each result. */
import { simulate } from '../simulate.ts'
import type { PlayedSeed } from './seed-pool.ts'

let cpuMsBefore = 0

process.on('message', (seed: number) => {
  void simulate({ seed }).then((result) => process.send!({ ...result, cpuMs: cpuMsSince() } satisfies PlayedSeed))
})
/** Of this process since it was asked last; the first seed bears its start. */
function cpuMsSince(): number {
  const { user, system } = process.cpuUsage()
  const before = cpuMsBefore
  cpuMsBefore = (user + system) / 1_000
  return cpuMsBefore - before
}

process.on('disconnect', () => process.exit())
