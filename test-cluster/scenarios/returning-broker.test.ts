import { eventually } from '../process/eventually.ts'
import { ProcessCluster } from '../process/process-cluster.ts'
import { WriteLoad } from './write-load.ts'

test('a broker that was away truncates, catches up, rejoins the in-sync set and leads again', async () => {
  const cluster = await ProcessCluster.start()
  try {
    const load = await WriteLoad.start({ bootstrap: cluster.bootstrap, topic: 'orders', partitions: 6 })
    const partitions = (): ReturnType<typeof load.client.partitions> => load.client.partitions('orders')
    const preferred = (await partitions()).filter((one) => one.replicaNodes[0] === 1).map((one) => one.partitionIndex)
    expect(preferred.length).toBeGreaterThan(0)
    await cluster.node(1).signal('SIGKILL')
    const awayMs = performance.now()
    await eventually(async () => load.allWroteSince(awayMs) && (await partitions()).every((one) => !one.isrNodes.includes(1) && one.leaderId !== 1), { what: 'the others lead' })
    const before = load.acknowledgedCount()
    await eventually(() => load.acknowledgedCount() > before + 200, { what: 'much is written without it' })
    cluster.node(1).launch()
    await cluster.node(1).serving()
    await eventually(async () => (await partitions()).every((one) => one.isrNodes.length === 3), { what: 'it is in sync everywhere' })
    await eventually(async () => {
      const now = await partitions()
      return preferred.every((partition) => now[partition]!.leaderId === 1)
    }, { what: 'it leads what it is preferred for', withinMs: 30_000 })
    await load.stop()
    expect(await load.verify()).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 })
    load.close()
  } finally {
    await cluster.dispose()
  }
}, 120_000)
