import { setTimeout as sleep } from 'node:timers/promises'
import { comparedTopic } from '../compared-topic.ts'
import { ManyConnections } from '../load/many-connections.ts'
import { bothSides } from '../measurement.ts'
import type { Bench, Figures, Measurement } from '../measurement.ts'
import { rssMegabytes, withServerUsage } from '../server-usage.ts'
import { idleUse } from './idle.ts'

const COUNTS = [1, 100, 2000] as const
const PARTITIONS = 12
const REQUESTS_PER_SECOND = 2000
const WARMUP_SECONDS = 5
const SETTLE_MS = 500
/** Below this the memory of connections drowns in the noise of the heap. */
const MEMORY_FROM_CONNECTIONS = 2000

function connections(count: number): Measurement {
  const name = `connections-${count}`
  const memory = count >= MEMORY_FROM_CONNECTIONS
  return {
    name, group: `Growth: ${count.toLocaleString('en-US')} client ${count === 1 ? 'connection' : 'connections'}`, phase: 'own', profile: 'full', sides: bothSides,
    rows: {
      idleCpu: { title: 'Idle CPU of a node', unit: '% of a core', better: 'lower', target: 1 },
      ...(memory ? { perConnection: { title: 'Memory for each connection', unit: 'kB', better: 'lower', target: 1 } as const } : {}),
      cpu: { title: '2,000 small requests a second over all of them, for a thousand requests', unit: 'ms of CPU', better: 'lower', target: 1 },
      p99: { title: '2,000 small requests a second over all of them, p99', unit: 'ms', better: 'lower', target: 1 },
    },
    measure: (bench) => measure(bench, name, count),
  }
}

export const connectionMeasurements: readonly Measurement[] = COUNTS.map(connections)

async function measure(bench: Bench, name: string, count: number): Promise<Figures> {
  const { cluster, client, sizes } = bench
  const topic = await comparedTopic(bench, name, { partitions: PARTITIONS })
  const warm = await ManyConnections.open(client, topic, PARTITIONS)
  await warm.run({ requestsPerSecond: REQUESTS_PER_SECOND, seconds: WARMUP_SECONDS })
  warm.close()
  await sleep(SETTLE_MS)
  const before = rssMegabytes(cluster)
  const many = await ManyConnections.open(client, topic, count)
  try {
    const { cpu: idleCpu, rss } = await idleUse(cluster, sizes.idleSeconds)
    const { result, usage } = await withServerUsage(cluster, () => many.run({ requestsPerSecond: REQUESTS_PER_SECOND, seconds: sizes.seconds }))
    return {
      idleCpu, perConnection: ((rss - before) * 1000) / (count / cluster.nodeIds.length), p50: result.at(0.5), p99: result.at(0.99),
      cpu: (usage.cpuSeconds * 1000) / ((REQUESTS_PER_SECOND * sizes.seconds) / 1000),
    }
  } finally {
    many.close()
  }
}
