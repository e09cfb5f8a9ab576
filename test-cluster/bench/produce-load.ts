import { buildBatch, errorName, produceRequestCodec, produceResponseCodec } from '@kavka/protocol'
import { ClusterClient } from '../client/cluster-client.ts'
import { WireConnection } from '../client/wire-connection.ts'
import { Latencies } from './latencies.ts'

export interface ProduceLoadOptions {
  readonly bootstrap: string
  readonly topic: string
  readonly recordBytes: number
  readonly batchBytes: number
  readonly acks: -1 | 1
  readonly seconds: number
  /** Requests that may be unanswered on each partition's connection. */
  readonly inFlight: number
}

export interface ProduceFigures {
  readonly records: number
  readonly bytes: number
  readonly seconds: number
  readonly latencies: Latencies
}

/** Produces as fast as the cluster takes it, one connection for each partition; batches are built once, so that the load costs little. */
export async function produceLoad(options: ProduceLoadOptions): Promise<ProduceFigures> {
  const client = new ClusterClient(options.bootstrap)
  const { topics, brokers } = await client.metadata([options.topic])
  client.close()
  const count = Math.max(1, Math.floor(options.batchBytes / options.recordBytes))
  const value = Buffer.alloc(options.recordBytes, 'kavka ')
  const records = buildBatch(Array.from({ length: count }, () => ({ timestamp: Date.now(), key: null, value })))
  const latencies = new Latencies()
  const startedMs = performance.now()
  const endMs = startedMs + options.seconds * 1000
  let batches = 0
  const lanes = topics[0]!.partitions.map(async ({ partitionIndex, leaderId }) => {
    const leader = brokers.find(({ nodeId }) => nodeId === leaderId)!
    const connection = await WireConnection.open(leader.host, leader.port)
    const lane = async (): Promise<void> => {
      while (performance.now() < endMs) {
        const sentMs = performance.now()
        const { responses } = await connection.request(produceRequestCodec, produceResponseCodec, 9, {
          acks: options.acks, timeoutMs: 30_000, topicData: [{ name: options.topic, partitionData: [{ index: partitionIndex, records }] }],
        })
        const code = responses[0]!.partitionResponses[0]!.errorCode
        if (code !== 0) throw new Error(`produce: ${errorName(code)}`)
        latencies.add(performance.now() - sentMs)
        batches += 1
      }
    }
    await Promise.all(Array.from({ length: options.inFlight }, lane))
    connection.close()
  })
  await Promise.all(lanes)
  return { records: batches * count, bytes: batches * records.length, seconds: (performance.now() - startedMs) / 1000, latencies }
}
