import { batchLastOffset, batchRecordCount, batchesIn, errorName, fetchRequestCodec, fetchResponseCodec } from '@kavka/protocol'
import { ClusterClient } from '../client/cluster-client.ts'
import { WireConnection } from '../client/wire-connection.ts'

export interface ConsumeFigures {
  readonly records: number
  readonly bytes: number
  readonly seconds: number
}

/** Reads a topic from its start to its end, one connection for each partition. */
export async function consumeLoad(options: { readonly bootstrap: string; readonly topic: string; readonly secondsMax: number }): Promise<ConsumeFigures> {
  const { topic } = options
  const client = new ClusterClient(options.bootstrap)
  const { topics, brokers } = await client.metadata([topic])
  const ends = await Promise.all(topics[0]!.partitions.map(({ partitionIndex }) => client.listOffset(topic, partitionIndex, -1)))
  client.close()
  const startedMs = performance.now()
  const endMs = startedMs + options.secondsMax * 1000
  let records = 0
  let bytes = 0
  await Promise.all(topics[0]!.partitions.map(async ({ partitionIndex: partition, leaderId }, index) => {
    const leader = brokers.find(({ nodeId }) => nodeId === leaderId)!
    const connection = await WireConnection.open(leader.host, leader.port)
    let fetchOffset = 0
    while (fetchOffset < ends[index]! && performance.now() < endMs) {
      const { responses } = await connection.request(fetchRequestCodec, fetchResponseCodec, 12, {
        replicaId: -1, maxWaitMs: 500, minBytes: 1, maxBytes: 55 * 2 ** 20, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
        topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 2 ** 20 }] }],
      })
      const answer = responses[0]!.partitions[0]!
      if (answer.errorCode !== 0) throw new Error(`fetch: ${errorName(answer.errorCode)}`)
      const data = answer.records as Buffer | null
      for (const step of batchesIn(data ?? Buffer.alloc(0))) {
        if (step.kind !== 'complete') break
        fetchOffset = batchLastOffset(data!, step.at) + 1
        records += batchRecordCount(data!, step.at)
      }
      bytes += data?.length ?? 0
    }
    connection.close()
  }))
  return { records, bytes, seconds: (performance.now() - startedMs) / 1000 }
}
