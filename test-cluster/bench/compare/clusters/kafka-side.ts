import { spawnSync } from 'node:child_process'
import { existsSync, renameSync } from 'node:fs'
import { KafkaCluster, brokerFlags } from '../../../foreign/kafka-cluster.ts'
import { kafkaCache } from '../../../foreign/kafka-tools.ts'
import type { ComparedCluster } from './compared-cluster.ts'
import { wholeCluster } from './whole-cluster.ts'

export interface SideOptions {
  readonly nodes: number
  readonly properties: Readonly<Record<string, string>>
}

/** Kafka's own default, which the clusters of the tests make smaller. */
const stockProperties = { 'log.cleaner.dedupe.buffer.size': '134217728' }

/** Apache Kafka with the flags of its own start script. */
export async function stockKafka({ nodes, properties }: SideOptions): Promise<ComparedCluster> {
  return asCompared('kafka', await KafkaCluster.create({ nodes, properties: { ...stockProperties, ...properties }, flags: brokerFlags.stock }))
}

/** Apache Kafka as quick to start as its JVM allows: serial collector, first compiler only, classes from an archive (JEP 350). */
export async function quickStartKafka(options: SideOptions): Promise<ComparedCluster> {
  const flags = [...brokerFlags.quickStart, '-Xshare:auto', `-XX:SharedArchiveFile=${await classArchive()}`]
  return asCompared('kafka-quick-start', await KafkaCluster.create({ ...options, flags }))
}

/** The archive of the classes that a broker loads, made once by one that is stopped in order. */
async function classArchive(): Promise<string> {
  const file = `${kafkaCache}quick-start-${javaVersion()}.jsa`
  if (existsSync(file)) return file
  const cluster = asCompared('kafka-quick-start', await KafkaCluster.create({
    nodes: 1, flags: [...brokerFlags.quickStart, `-XX:ArchiveClassesAtExit=${file}.tmp`],
  }))
  try {
    cluster.launch(1)
    await wholeCluster(cluster)
    await cluster.end(1, 'SIGTERM')
    renameSync(`${file}.tmp`, file)
  } finally {
    await cluster.dispose()
  }
  return file
}

/** "17.0.15": an archive fits one build of the virtual machine only. */
export function javaVersion(): string {
  const { stderr } = spawnSync('java', ['-XshowSettings:properties', '-version'], { encoding: 'utf8' })
  return /java\.version = (\S+)/.exec(stderr)?.[1] ?? 'unknown'
}

function asCompared(side: ComparedCluster['side'], cluster: KafkaCluster): ComparedCluster {
  return {
    side, bootstrap: cluster.bootstrap, nodeIds: cluster.nodeIds,
    launch: (nodeId) => cluster.launch(nodeId), end: (nodeId, signal) => cluster.end(nodeId, signal),
    isRunning: (nodeId) => cluster.isRunning(nodeId), pid: (nodeId) => cluster.pid(nodeId),
    dataDirectory: (nodeId) => cluster.dataDirectory(nodeId), log: (nodeId) => cluster.log(nodeId), dispose: () => cluster.dispose(),
  }
}
