import { createTopicsRequestCodec, createTopicsResponseCodec, errorName } from '@kavka/protocol'
import { isWhole } from '../clusters/whole-cluster.ts'
import { MetadataWatch } from '../load/metadata-watch.ts'
import { bothSides } from '../measurement.ts'
import type { Bench, Figures, Measurement } from '../measurement.ts'
import { rssMegabytes } from '../server-usage.ts'
import { onEveryDisk, settled } from '../settled.ts'
import { idleUse } from './idle.ts'

/** With three replicas on three nodes, each partition of the topic is one of every node. */
const PARTITIONS_PER_NODE = [10, 100, 1000, 5000] as const
const SMALL_TOPICS = 5
/** Asking for all partitions of a large topic is a load itself. */
const WATCH_MS = 100
const WATCH_SMALL_MS = 2
/** Below this the memory of partitions drowns in the noise of the heap. */
const MEMORY_FROM_PARTITIONS = 1000
const CREATE_MS_MAX = 120_000

function growth(partitions: number): Measurement {
  const at = partitions.toLocaleString('en-US')
  const memory = partitions >= MEMORY_FROM_PARTITIONS
  return {
    name: `growth-${partitions}`, group: `Growth: ${at} partitions a node`, phase: 'own', profile: 'full', sides: bothSides,
    rows: {
      create: { title: `Created: known to every node and on every disk`, unit: 's', better: 'lower', target: 1 },
      idleCpu: { title: `Idle CPU of a node`, unit: '% of a core', better: 'lower', target: 1, ...(partitions === 5000 ? { kavkaMax: 2 } : {}) },
      rss: { title: `Memory of a node`, unit: 'MB', better: 'lower', target: 1 },
      ...(memory ? { perPartition: { title: `Memory for each partition`, unit: 'kB', better: 'lower', target: 1 / 3 } as const } : {}),
      propagation: { title: `A new topic is known to every node`, unit: 'ms', better: 'lower', target: 1 },
      failover: { title: `kill -9 of a node until every partition is led again`, unit: 's', better: 'lower', target: 1, ...(partitions === 5000 ? { kavkaMax: 1.5 } : {}) },
      rejoin: { title: `Its start until every replica is in sync`, unit: 's', better: 'lower', target: 1 },
    },
    measure: (bench) => measure(bench, partitions),
  }
}

export const growthMeasurements: readonly Measurement[] = PARTITIONS_PER_NODE.map(growth)

async function measure(bench: Bench, partitions: number): Promise<Figures> {
  const { cluster, sizes } = bench
  const watch = new MetadataWatch(cluster)
  try {
    const before = await idleUse(cluster, Math.min(2, sizes.idleSeconds))
    const create = await timed(async () => {
      await createdInSync(bench, watch, 'growth', partitions, WATCH_MS)
      await onEveryDisk(cluster, 'growth', partitions, CREATE_MS_MAX)
    })
    await settled(cluster)
    const { rss, cpu: idleCpu } = await idleUse(cluster, sizes.idleSeconds)
    const propagation = await smallTopics(bench, watch)
    const { failover, rejoin } = await killAndReturn(bench, watch, partitions)
    return {
      create: create / 1000, idleCpu, rss, perPartition: ((rss - before.rss) * 1000) / partitions, propagation,
      failover: failover / 1000, rejoin: rejoin / 1000, rssAfter: rssMegabytes(cluster),
    }
  } finally {
    watch.close()
  }
}

/** The median time until a topic with one partition, just asked for, is led in the eyes of every node. */
async function smallTopics(bench: Bench, watch: MetadataWatch): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < SMALL_TOPICS; index++) {
    times.push(await timed(() => createdInSync(bench, watch, `small-${index}`, 1, WATCH_SMALL_MS)))
  }
  return times.toSorted((a, b) => a - b)[SMALL_TOPICS >> 1]!
}

async function killAndReturn({ cluster }: Bench, watch: MetadataWatch, partitions: number): Promise<{ readonly failover: number; readonly rejoin: number }> {
  const [victim, ...others] = cluster.nodeIds as [number, ...number[]]
  const survivors = new MetadataWatch(cluster, others)
  try {
    await cluster.end(victim, 'SIGKILL')
    const failover = await timed(() => survivors.until('growth', partitions, ({ leaderId }) => leaderId >= 0 && leaderId !== victim, WATCH_MS))
    cluster.launch(victim)
    const rejoin = await timed(() => watch.until('growth', partitions, isWhole, WATCH_MS))
    return { failover, rejoin }
  } finally {
    survivors.close()
  }
}

async function createdInSync({ client }: Bench, watch: MetadataWatch, topic: string, partitions: number, everyMs: number): Promise<void> {
  const connection = await client.anyConnection()
  const { topics } = await connection.request(createTopicsRequestCodec, createTopicsResponseCodec, 7, {
    topics: [{ name: topic, numPartitions: partitions, replicationFactor: 3 }], timeoutMs: CREATE_MS_MAX,
  })
  const { errorCode, errorMessage } = topics[0]!
  if (errorCode !== 0) throw new Error(`${topic}: ${errorName(errorCode)} ${errorMessage ?? ''}`)
  await watch.until(topic, partitions, isWhole, everyMs)
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}
