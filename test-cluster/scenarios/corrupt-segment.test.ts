import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { batchesIn, verifyBatchCrc } from '@kavka/protocol'
import type { ClusterClient } from '../client/cluster-client.ts'
import { eventually } from '../process/eventually.ts'
import { ProcessCluster } from '../process/process-cluster.ts'
import { WriteLoad } from './write-load.ts'

const SEGMENT = '00000000000000000000.log'

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

test.each(['SIGTERM', 'SIGKILL'] as const)('a segment that rotted while its node was down (%s) is never served, and filled again from the others', async (signal) => {
  const cluster = await ProcessCluster.start()
  try {
    const load = await WriteLoad.start({ bootstrap: cluster.bootstrap, topic: 'orders', partitions: 3 })
    await eventually(() => load.acknowledgedCount() > 300, { what: 'much is written' })
    await cluster.node(2).signal(signal)
    for (let partition = 0; partition < 3; partition++) flipBit(join(cluster.dataDirectory(2), `orders-${partition}`, SEGMENT))
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
    // Whoever reads the rot gets an error once; then another replica leads.
    await eventually(async () => (await load.verify()).lost === 0, { what: 'everything acknowledged can be read' })
    await eventually(async () => (await partitions()).every((one) => one.isrNodes.length === 3), { what: 'all replicas are in sync' })
    expect(cluster.node(2).isRunning).toBe(true)
    expect(await load.verify()).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 })
    load.close()
  } finally {
    await cluster.dispose()
  }
}, 120_000)

test('a leader whose log rots under it is relieved when a reader meets the rot, and leads again from a sound log', async () => {
  // No memory for recent batches: readers meet what lies on the disk.
  const cluster = await ProcessCluster.start({ properties: { 'kavka.tail.cache.bytes': '0' } })
  try {
    const load = await WriteLoad.start({ bootstrap: cluster.bootstrap, topic: 'orders', partitions: 1 })
    await eventually(() => load.acknowledgedCount() > 300, { what: 'much is written' })
    await load.stop()
    const partition = async () => (await load.client.partitions('orders'))[0]!
    const { leaderId: damaged } = await partition()
    const segment = join(cluster.dataDirectory(damaged), 'orders-0', SEGMENT)
    const sound = readFileSync(segment)
    flipBit(segment)
    await expectSoundOrNamed(load.client, 0)
    await eventually(async () => (await load.verify()).lost === 0, { what: 'everything acknowledged can be read' })
    await eventually(async () => (await partition()).isrNodes.length === 3, { what: 'the damaged replica is in sync again' })
    // Preferred leadership comes back by itself; it serves what was refilled.
    await eventually(async () => (await partition()).leaderId === damaged, { what: 'it leads again' })
    expect(await load.verify()).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 })
    expect(readFileSync(segment).subarray(0, sound.length).equals(sound)).toBe(true)
    expect(cluster.node(damaged).isRunning).toBe(true)
    load.close()
  } finally {
    await cluster.dispose()
  }
}, 120_000)
