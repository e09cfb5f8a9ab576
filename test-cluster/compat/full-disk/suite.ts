import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClusterClient } from '../../client/cluster-client.ts'
import { eventually } from '../../process/eventually.ts'
import { ProcessCluster } from '../../process/process-cluster.ts'
import { PartitionWriter } from '../../scenarios/partition-writer.ts'
import { readPartition } from '../../scenarios/read-partition.ts'
import { judge } from '../../scenarios/verdict.ts'
import { same } from '../check.ts'
import type { CompatSuite } from '../check.ts'

/** A real full disk: the data directory of a node is a small tmpfs. */
export const fullDiskSuite: CompatSuite = {
  name: 'full disk',
  pace: 'quick',
  install: () => {
    if (process.getuid?.() !== 0) throw new Error('mounting a small tmpfs needs root')
    return Promise.resolve()
  },
  checks: [{ name: 'the log names it, nothing acknowledged is lost, and after space returned the node starts again', run: fill }],
}

async function fill(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'kavka-full-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', directory])
  const cluster = await ProcessCluster.create({ nodes: 1, directory })
  try {
    await cluster.startAll()
    const client = new ClusterClient(cluster.bootstrap)
    await client.createTopic('full', { partitions: 1, replicationFactor: 1 })
    const writer = new PartitionWriter(client, {
      topic: 'full', partition: 0, name: 'full', recordsPerBatch: 100, valueBytes: 1000, producer: await client.producerId(), nowMs: () => performance.now(),
    })
    const running = writer.run()
    // Its only log directory failed: as in Kafka the node stops, and says why.
    await eventually(() => !cluster.node(1).isRunning || writer.errors.has('KAFKA_STORAGE_ERROR'), { what: 'the full disk is noticed' })
    if (!/ENOSPC|no space left/i.test(cluster.node(1).log())) throw new Error('the log does not name the full disk')
    await cluster.node(1).signal('SIGKILL')
    execFileSync('mount', ['-o', 'remount,size=64m', directory])
    cluster.node(1).launch()
    await cluster.node(1).serving()
    const before = writer.acknowledged.length
    await eventually(() => writer.acknowledged.length > before, { what: 'writes go on after space returned' })
    writer.stop()
    await running
    const verdict = judge(writer, await readPartition(client, 'full', 0))
    same([verdict.lost, verdict.duplicated, verdict.reordered], [0, 0, 0], 'lost, duplicated, reordered')
    client.close()
  } finally {
    await cluster.dispose()
    spawnSync('umount', ['-l', directory])
    rmSync(directory, { recursive: true, force: true })
  }
}
