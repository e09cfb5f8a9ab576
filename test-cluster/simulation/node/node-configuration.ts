/** How the run configures its nodes: Kafka's own settings, as an operator would write them. */
import { layoutOf, loadBrokerConfig } from '@kavka/kernel'
import type { MetadataImage } from '@kavka/controller'
import type { NodeId } from '@kavka/protocol'
import type { SwarmOptions } from '../swarm.ts'
import type { NodeSettings } from './simulated-node.ts'

/** The same in every life of a node. */
export function configurationOf(id: NodeId, voterIds: readonly NodeId[], swarm: SwarmOptions): Omit<NodeSettings, 'incarnation'> {
  const loaded = loadBrokerConfig(propertiesOf(id, voterIds, swarm))
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
  const { config } = loaded.value
  const layout = layoutOf(config, `node-${id}`)
  if (!layout.ok) throw new Error(JSON.stringify(layout.error))
  const { snapshotAfterBytes, logRetainedBytes, segmentBytes, offsetsRetentionMs } = swarm
  // Shorter than an operator may choose, so that offsets expire within seconds.
  const retained = offsetsRetentionMs === null ? config : { ...config, offsetsRetentionMinutes: offsetsRetentionMs / 60_000 }
  const indexIntervalBytes = indexIntervalBytesOf(swarm)
  return { nodeId: id, config: retained, layout: layout.value, voterIds, snapshotAfterBytes, logRetainedBytes, segmentBytes, indexIntervalBytes }
}

const DENSE_INDEX_INTERVAL_BYTES = 100

/** So that even the smallest segments have some entries. */
export function indexIntervalBytesOf({ segmentBytes, denseIndexes }: SwarmOptions): number {
  return denseIndexes ? DENSE_INDEX_INTERVAL_BYTES : Math.max(DENSE_INDEX_INTERVAL_BYTES, segmentBytes >> 3)
}

/** `min.insync.replicas` of a topic as of that metadata. */
export function minIsrOf(image: MetadataImage, topic: string, swarm: SwarmOptions): number {
  const own = image.configs.get(`2:${topic}`)?.get('min.insync.replicas') ?? image.configs.get('4:')?.get('min.insync.replicas')
  return own === undefined ? swarm.minIsr : Number(own)
}

/** `file.delete.delay.ms`: Kafka's default is longer than most runs. */
export function fileDeleteDelayMsOf({ passing }: SwarmOptions): number {
  return passing?.fileDeleteDelayMs ?? 60_000
}

function propertiesOf(id: NodeId, voterIds: readonly NodeId[], swarm: SwarmOptions): ReadonlyMap<string, string> {
  const isVoter = voterIds.includes(id)
  const listeners = `PLAINTEXT://node-${id}:9092${isVoter ? `,CONTROLLER://node-${id}:9093` : ''}`
  return new Map([
    ['process.roles', isVoter ? 'broker,controller' : 'broker'],
    ['node.id', String(id)],
    ['controller.quorum.voters', voterIds.map((voter) => `${voter}@node-${voter}:9093`).join(',')],
    ['listeners', listeners],
    ['advertised.listeners', `PLAINTEXT://node-${id}:9092`],
    ['controller.listener.names', 'CONTROLLER'],
    ['listener.security.protocol.map', 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT'],
    ['log.dirs', '/data'],
    ['metadata.log.dir', '/metadata'],
    ['broker.session.timeout.ms', String(swarm.sessionTimeoutMs)],
    ['broker.heartbeat.interval.ms', String(Math.min(2_000, swarm.sessionTimeoutMs / 3 | 0))],
    ['replica.lag.time.max.ms', String(swarm.replicaLagMsMax)],
    ['min.insync.replicas', String(swarm.minIsr)],
    // Clocks jump here by more than the hour that records may be ahead of their leader's.
    ['log.message.timestamp.after.max.ms', '9223372036854775807'],
    ['log.flush.interval.messages', swarm.durability === 'synced' ? '1' : '9223372036854775807'],
    ['log.flush.offset.checkpoint.interval.ms', String(swarm.passing?.checkpointEveryMs ?? 3_000)],
    ['replica.high.watermark.checkpoint.interval.ms', '2000'],
    ['group.initial.rebalance.delay.ms', '200'],
    ['group.min.session.timeout.ms', '1000'],
    ['offsets.topic.num.partitions', '2'],
    ['offsets.retention.check.interval.ms', swarm.offsetsRetentionMs === null ? '600000' : '700'],
    ['log.segment.delete.delay.ms', String(fileDeleteDelayMsOf(swarm))],
    ['kavka.tail.cache.bytes', String(swarm.disk.tailCacheBytes)],
    ['log.retention.ms', String(swarm.tempo.retentionMs ?? -1)],
    ['log.retention.check.interval.ms', swarm.tempo.retentionMs === null ? '300000' : '5000'],
  ])
}
