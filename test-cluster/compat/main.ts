// npm run compat [-- --quick] [-- --bootstrap HOST:PORT,…] [-- NAME …]: foreign clients against a real cluster, a line a check.
import { parseArgs } from 'node:util'
import { ProcessCluster } from '../process/process-cluster.ts'
import type { CompatSuite } from './check.ts'
import { dumpLogSuite } from './dump-log/suite.ts'
import { fullDiskSuite } from './full-disk/suite.ts'
import { javaSuite } from './java/suite.ts'
import { debianKafkaPythonSuite, newestKafkaPythonSuite } from './kafka-python/suite.ts'
import { kafkajsSuite } from './kafkajs/suite.ts'
import { kcatSuite } from './kcat/suite.ts'
import { layoutsSuite } from './layouts/suite.ts'
import { prometheusSuite } from './prometheus/suite.ts'

const suites: readonly CompatSuite[] = [
  javaSuite, layoutsSuite, kcatSuite, debianKafkaPythonSuite, newestKafkaPythonSuite, kafkajsSuite, dumpLogSuite, prometheusSuite, fullDiskSuite,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, bootstrap: { type: 'string' } },
})
const chosen = suites.filter(
  ({ name, pace }) => (!values.quick || pace === 'quick') && (positionals.length === 0 || positionals.some((word) => name.toLowerCase().includes(word.toLowerCase()))),
)
// As the transcripts' Kafka: min.insync.replicas stays at its default.
const cluster = values.bootstrap === undefined ? await ProcessCluster.start({ properties: { 'min.insync.replicas': '' } }) : null
let failed = 0
let passed = 0
try {
  for (const suite of chosen) await runSuite(suite, values.bootstrap ?? cluster!.bootstrap)
} finally {
  await cluster?.dispose()
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

async function runSuite(suite: CompatSuite, bootstrap: string): Promise<void> {
  await suite.install()
  for (const check of suite.checks) {
    const startedMs = performance.now()
    try {
      await check.run(bootstrap)
      passed += 1
      console.log(`✓ ${suite.name}: ${check.name} (${Math.round(performance.now() - startedMs)} ms)`)
    } catch (error) {
      failed += 1
      console.log(`✗ ${suite.name}: ${check.name}\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
  }
}
