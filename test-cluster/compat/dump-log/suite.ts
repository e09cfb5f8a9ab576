import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ClusterClient } from '../../client/cluster-client.ts'
import { kafkaClasspath, runTool } from '../../foreign/kafka-tools.ts'
import { ProcessCluster } from '../../process/process-cluster.ts'
import { PartitionWriter } from '../../scenarios/partition-writer.ts'
import { succeeded } from '../check.ts'
import type { CompatSuite } from '../check.ts'

/** What DumpLogSegments says when a file does not hold what Kafka would have written. */
const COMPLAINTS = [/Mismatches in/, /out of order/, /not found in log/, /Found timestamp mismatch/, /isvalid: false/, /invalid/i, /Exception/, /Unknown/]
const BATCHES = 400

/** Kafka's own kafka-dump-log reads the segments, indexes and producer snapshots that Kavka wrote. */
export const dumpLogSuite: CompatSuite = {
  name: 'kafka-dump-log',
  pace: 'quick',
  install: () => {
    kafkaClasspath()
    return Promise.resolve()
  },
  checks: [{ name: 'reads logs, indexes and producer snapshots without complaint', run: dump }],
}

async function dump(): Promise<void> {
  const cluster = await ProcessCluster.start({ nodes: 1 })
  try {
    await write(cluster)
    await cluster.nodes[0]!.signal('SIGTERM')
    const directory = join(cluster.dataDirectory(1), 'dumped-0')
    const names = readdirSync(directory).filter((name) => /\.(log|index|timeindex|snapshot)$/.test(name))
    for (const kind of ['.log', '.index', '.timeindex', '.snapshot']) {
      if (names.filter((name) => name.endsWith(kind)).length < (kind === '.snapshot' ? 1 : 2)) throw new Error(`expected several ${kind} files, found ${names.join(' ')}`)
    }
    const files = names.map((name) => join(directory, name)).join(',')
    const output = succeeded(await runTool('kafka-dump-log', ['--files', files, '--deep-iteration', '--print-data-log']))
    const complaint = output.split('\n').find((line) => COMPLAINTS.some((pattern) => pattern.test(line)))
    if (complaint !== undefined) throw new Error(complaint)
    const records = output.split('\n').filter((line) => line.startsWith('| offset')).length
    if (records !== BATCHES * 100) throw new Error(`expected ${BATCHES * 100} records, the dump shows ${records}`)
  } finally {
    await cluster.dispose()
  }
}

async function write(cluster: ProcessCluster): Promise<void> {
  const client = new ClusterClient(cluster.bootstrap)
  await client.createTopic('dumped', { partitions: 1, replicationFactor: 1, configs: { 'segment.bytes': '1048576' } })
  const writer = new PartitionWriter(client, {
    topic: 'dumped', partition: 0, name: 'dump', recordsPerBatch: 100, valueBytes: 64, producer: await client.producerId(), nowMs: () => performance.now(),
  })
  await writer.run(BATCHES)
  client.close()
}
