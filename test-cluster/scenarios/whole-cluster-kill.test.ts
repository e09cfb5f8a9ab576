import { eventually } from '../process/eventually.ts'
import { ProcessCluster } from '../process/process-cluster.ts'
import { WriteLoad } from './write-load.ts'

test('after all three nodes were killed at once under load, nothing acknowledged is missing', async () => {
  const cluster = await ProcessCluster.start()
  try {
    const load = await WriteLoad.start({ bootstrap: cluster.bootstrap, topic: 'orders', partitions: 3 })
    for (let round = 0; round < 2; round++) {
      const startedMs = performance.now()
      await eventually(() => load.allWroteSince(startedMs), { what: 'every writer writes' })
      await Promise.all(cluster.nodes.map((node) => node.signal('SIGKILL')))
      const restartedMs = performance.now()
      for (const node of cluster.nodes) node.launch()
      await Promise.all(cluster.nodes.map((node) => node.serving()))
      await eventually(() => {
        load.assertAlive()
        return load.allWroteSince(restartedMs)
      }, { what: 'the cluster takes writes again', withinMs: 10_000 })
    }
    await load.stop()
    expect(await load.verify()).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 })
    load.close()
  } finally {
    await cluster.dispose()
  }
}, 120_000)
