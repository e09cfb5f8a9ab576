import { batchLastOffset, batchesIn, errorName, fetchRequestCodec, fetchResponseCodec } from '@kavka/protocol'
import { ClusterClient } from '../../../client/cluster-client.ts'
import { WireConnection } from '../../../client/wire-connection.ts'
import { produceLoad } from '../../produce-load.ts'

export interface TailLoadOptions {
  readonly bootstrap: string
  readonly topic: string
  readonly recordBytes: number
  readonly batchBytes: number
  readonly seconds: number
}

export interface TailFigures {
  readonly bytes: number
  readonly seconds: number
}

const IN_FLIGHT = 2

/** Writes as fast as the cluster takes it while a reader for each partition keeps up with its end; resolves when everything is read. */
export async function tailLoad(options: TailLoadOptions): Promise<TailFigures> {
  const { bootstrap, topic } = options
  const client = new ClusterClient(bootstrap)
  const { topics, brokers } = await client.metadata([topic])
  let ends: readonly number[] | null = null
  const startedMs = performance.now()
  const readers = topics[0]!.partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex).map(async ({ partitionIndex, leaderId }) => {
    const { host, port } = brokers.find(({ nodeId }) => nodeId === leaderId)!
    return follow(await WireConnection.open(host, port), topic, partitionIndex, (offset) => ends !== null && offset >= ends[partitionIndex]!)
  })
  await produceLoad({ ...options, acks: -1, inFlight: IN_FLIGHT })
  ends = await Promise.all(readers.map((_, partition) => client.listOffset(topic, partition, -1)))
  client.close()
  const bytes = await Promise.all(readers)
  return { bytes: bytes.reduce((sum, each) => sum + each, 0), seconds: (performance.now() - startedMs) / 1000 }
}

async function follow(connection: WireConnection, topic: string, partition: number, isEnd: (offset: number) => boolean): Promise<number> {
  let fetchOffset = 0
  let bytes = 0
  try {
    while (!isEnd(fetchOffset)) {
      const { responses } = await connection.request(fetchRequestCodec, fetchResponseCodec, 12, {
        replicaId: -1, maxWaitMs: 100, minBytes: 1, maxBytes: 55 * 2 ** 20, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
        topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 2 ** 20 }] }],
      })
      const { errorCode, records } = responses[0]!.partitions[0]!
      if (errorCode !== 0) throw new Error(`fetch: ${errorName(errorCode)}`)
      const data = (records as Buffer | null) ?? Buffer.alloc(0)
      for (const step of batchesIn(data)) {
        if (step.kind !== 'complete') break
        fetchOffset = batchLastOffset(data, step.at) + 1
      }
      bytes += data.length
    }
    return bytes
  } finally {
    connection.close()
  }
}
