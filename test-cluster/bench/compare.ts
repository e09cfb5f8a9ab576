// npm run bench:compare: Apache Kafka and Kavka by turns on this machine under the same foreign load.
// Absolute figures belong to the machine and what else ran on it; the ratios of one run are what counts.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kafkaClasspath } from '../foreign/kafka-tools.ts'
import { effectiveSizes, parseCompareOptions, usage } from './compare/compare-options.ts'
import type { CompareOptions } from './compare/compare-options.ts'
import { Comparison } from './compare/comparison.ts'
import { thisMachine } from './compare/machine.ts'
import { allMeasurements } from './compare/measurements/all-measurements.ts'
import { withComparison } from './compare/report/document.ts'
import { comparisonSvg } from './compare/report/picture.ts'
import { comparisonMarkdown } from './compare/report/table.ts'
import { ResultsFile, resultKey } from './compare/results-file.ts'
import type { ResultLine } from './compare/results-file.ts'
import { schedule } from './compare/schedule.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

async function main(): Promise<void> {
  const options = askedFor(process.argv.slice(2))
  if (options.action === 'help') {
    console.log(usage)
    return
  }
  if (options.action === 'list') {
    for (const { name, profile, group, rows } of allMeasurements) console.log(`${name.padEnd(36)} ${profile.padEnd(7)} ${group}: ${Object.values(rows)[0]!.title}`)
    return
  }
  const results = new ResultsFile(options.directory)
  if (options.action === 'measure') await measure(options, results)
  const lines = results.read()
  if (!lines.some(({ kind }) => kind === 'measured')) throw new Error(`${results.path} holds no results`)
  writeReport(options, lines)
}

function askedFor(args: readonly string[]): CompareOptions {
  try {
    return parseCompareOptions(args, allMeasurements, join(root, '.cache/compare'))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}

async function measure(options: CompareOptions, results: ResultsFile): Promise<void> {
  requireKafka()
  if (!options.resume) results.startAnew()
  const earlier = results.read()
  const sizes = effectiveSizes(options.sizes, earlier.findLast((line) => line.kind === 'run')?.sizes ?? null)
  const done = new Set(earlier.flatMap((line) => (line.kind === 'measured' ? [resultKey(line)] : [])))
  results.append({ kind: 'run', at: new Date().toISOString(), machine: thisMachine(), sizes, commit: commit() })
  const passes = schedule(options.measurements, options.rounds, done).filter(({ side }) => options.sides.includes(side))
  const comparison = new Comparison({ passes, sizes }, {
    record: (line) => results.append(line), log: (line) => console.error(line),
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void comparison.dispose().finally(() => process.exit(130)))
  // Whatever is thrown where nobody waits for it, the clusters must not outlive this process.
  process.once('uncaughtException', (error) => {
    console.error(error)
    void comparison.dispose().finally(() => process.exit(1))
  })
  await comparison.run()
}

function requireKafka(): void {
  try {
    kafkaClasspath()
  } catch (error) {
    console.log(`Skipped: there is nothing to compare with. ${(error as Error).message}`)
    process.exit(0)
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: root, encoding: 'utf8' }).trim()
  } catch {
    return 'an unknown commit'
  }
}

function writeReport({ action, directory }: CompareOptions, lines: readonly ResultLine[]): void {
  const markdown = comparisonMarkdown(allMeasurements, lines)
  const svg = comparisonSvg(allMeasurements, lines)
  if (action === 'measure') {
    writeFileSync(join(directory, 'comparison.md'), `${markdown}\n`)
    writeFileSync(join(directory, 'comparison.svg'), svg)
    console.log(markdown)
    return
  }
  const document = join(root, 'docs/performance.md')
  writeFileSync(join(root, 'docs/performance.svg'), svg)
  writeFileSync(document, withComparison(readFileSync(document, 'utf8'), `![How many times better or worse than Kafka](performance.svg)\n\n${markdown}`))
  console.log('docs/performance.md and docs/performance.svg are written')
}

await main()
