// npm run scenario:kill [-- --kills N] [-- --seed S]: kills a random node again and again under load and tells what it cost.
import { parseArgs } from 'node:util'
import { distribution, killBrokers } from './kill-brokers.ts'

const { values } = parseArgs({ options: { kills: { type: 'string', default: '50' }, seed: { type: 'string' } } })
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed)
console.log(`SEED=${seed}`)
const report = await killBrokers({ kills: Number(values.kills), seed, log: (line) => console.log(line) })
console.log(`longest gap in acknowledged writes after a kill: ${distribution(report.gapsMs)}`)
console.log(JSON.stringify(report.verdict))
process.exitCode = report.verdict.lost + report.verdict.duplicated + report.verdict.reordered === 0 ? 0 : 1
