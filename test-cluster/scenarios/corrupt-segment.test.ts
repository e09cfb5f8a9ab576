import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { batchesIn, verifyBatchCrc } from '@kavka/protocol'
import type { ClusterClient } from '../client/cluster-client.ts'
import { eventually } from '../process/eventually.ts'
import { ProcessCluster } from '../process/process-cluster.ts'
import { WriteLoad } from './write-load.ts'

/** One bit, in the middle of what is there. */
function flipBit(file: string): void {
  const descriptor = openSync(file, 'r+')
  const position = Math.floor(fstatSync(descriptor).size / 2)
  const byte = Buffer.alloc(1)
  readSync(descriptor, byte, 0, 1, position)
  byte[0] = byte[0]! ^ 0x10
  writeSync(descriptor, byte, 0, 1, position)
  closeSync(descriptor)
}

/** What a reader gets is whole, or an error that says what is wrong. */
async function expectSoundOrNamed(client: ClusterClient, partition: number): Promise<void> {
  const answer = await client.fetch('orders', partition, 0)
  if ('error' in answer) {
    expect(['CORRUPT_MESSAGE', 'KAFKA_STORAGE_ERROR', 'NOT_LEADER_OR_FOLLOWER', 'LEADER_NOT_AVAILABLE']).toContain(answer.error)
    return
  }
  for (const step of batchesIn(answer.records)) {
    if (step.kind === 'complete') expect(verifyBatchCrc(answer.records, step.at)).toBe(true)
  }
}

test.each(['SIGTERM', 'SIGKILL'] as const)('a segment that rotted while its node was down (%s) is never served and costs nothing acknowledged', async (signal) => {
  const cluster = await ProcessCluster.start()
  try {
    const load = await WriteLoad.start({ bootstrap: cluster.bootstrap, topic: 'orders', partitions: 3 })
    await eventually(() => load.acknowledgedCount() > 300, { what: 'much is written' })
    await cluster.node(2).signal(signal)
    for (let partition = 0; partition < 3; partition++) flipBit(join(cluster.dataDirectory(2), `orders-${partition}`, '00000000000000000000.log'))
    cluster.node(2).launch()
    await cluster.node(2).serving()
    const partitions = (): ReturnType<typeof load.client.partitions> => load.client.partitions('orders')
    const preferred = (await partitions()).filter((one) => one.replicaNodes[0] === 2).map((one) => one.partitionIndex)
    await eventually(async () => {
      load.assertAlive()
      const now = await partitions()
      return preferred.some((partition) => now[partition]!.leaderId === 2) || now.some((one) => one.isrNodes.length < 3)
    }, { what: 'the damaged node leads again, or its replicas are out of service' })
    await load.stop()
    for (let partition = 0; partition < 3; partition++) await expectSoundOrNamed(load.client, partition)
    expect(cluster.node(2).isRunning).toBe(true)
    // As in Kafka, a leader that finds rot while reading names it and goes on leading: what the others hold is whole.
    await cluster.node(2).signal('SIGKILL')
    await eventually(async () => (await partitions()).every((one) => one.leaderId === 1 || one.leaderId === 3), { what: 'the sound nodes lead' })
    expect(await load.verify()).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 })
    load.close()
  } finally {
    await cluster.dispose()
  }
}, 120_000)
