// npm run bench:compare [-- --rounds N] [-- --sync] [-- --out FILE]: Apache Kafka and Kavka by turns on this machine under the same foreign load.
// Absolute figures belong to the machine and what else ran on it; the ratios of one run are what counts.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { kafkaClasspath } from '../foreign/kafka-tools.ts'
import { measurePass } from './compare-side.ts'
import type { Figures, Product } from './compare-side.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    sync: { type: 'boolean', default: false },
    records: { type: 'string', default: '300000' },
    size: { type: 'string', default: '1024' },
    batch: { type: 'string', default: '16384' },
    partitions: { type: 'string', default: '6' },
    out: { type: 'string' },
  },
})

try {
  kafkaClasspath()
} catch (error) {
  console.log(`Skipped: there is nothing to compare with. ${(error as Error).message}`)
  process.exit(0)
}

const options = {
  durability: values.sync ? 'sync before ack' : 'page cache', records: Number(values.records), recordBytes: Number(values.size),
  batchBytes: Number(values.batch), partitions: Number(values.partitions),
} as const
const passes: Record<Product, Figures[]> = { kafka: [], kavka: [] }
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const product of ['kafka', 'kavka'] as const) {
    const figures = await measurePass(product, options)
    passes[product].push(figures)
    console.error(`round ${round}, ${product}: ${[...figures].map(([name, value]) => `${name} ${short(value)}`).join('; ')}`)
  }
}
const report = [
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}; three nodes and the load on the same machine.`,
  `acks=all, replication factor 3, min.insync.replicas 2, ${options.partitions} partitions, records of ${options.recordBytes} bytes, batches of ${options.batchBytes} bytes, ${options.durability}.`,
  `Medians of ${values.rounds} alternating runs, smallest and largest in brackets.`,
  '',
  '| | Apache Kafka 4.3.1 | Kavka | Kavka ÷ Kafka |',
  '|---|---|---|---|',
  ...[...passes.kavka[0]!.keys()].map(row),
].join('\n')
console.log(report)
if (values.out !== undefined) writeFileSync(values.out, `${report}\n`)

function row(name: string): string {
  const kafka = passes.kafka.map((figures) => figures.get(name)!)
  const kavka = passes.kavka.map((figures) => figures.get(name)!)
  return `| ${name} | ${spread(kafka)} | ${spread(kavka)} | ${(median(kavka) / median(kafka)).toFixed(2)} |`
}

function spread(numbers: readonly number[]): string {
  return `${short(median(numbers))} (${short(Math.min(...numbers))}–${short(Math.max(...numbers))})`
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
