import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
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
    expect(await load.verify()).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 })
    expect(cluster.node(2).isRunning).toBe(true)
    load.close()
  } finally {
    await cluster.dispose()
  }
}, 120_000)
