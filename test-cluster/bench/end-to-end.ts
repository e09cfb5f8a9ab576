import { batchLastOffset, batchesIn, buildBatch, errorName, fetchRequestCodec, fetchResponseCodec, produceRequestCodec, produceResponseCodec } from '@kavka/protocol'
import { ClusterClient } from '../client/cluster-client.ts'
import type { WireConnection } from '../client/wire-connection.ts'
import { Latencies } from './latencies.ts'

export interface EndToEndOptions {
  readonly bootstrap: string
  readonly topic: string
  readonly recordBytes: number
  readonly recordsPerSecond: number
  readonly seconds: number
}

/** Time from sending a record with acks=all to having it from a long-polling consumer, at a steady rate, on partition 0. */
export async function endToEnd(options: EndToEndOptions): Promise<Latencies> {
  const writing = new ClusterClient(options.bootstrap)
  const reading = new ClusterClient(options.bootstrap)
  const producer = (await writing.leader(options.topic, 0))!.connection
  const consumer = (await reading.leader(options.topic, 0))!.connection
  const sentMs = new Map<number, number>()
  const latencies = new Latencies()
  const total = Math.floor(options.recordsPerSecond * options.seconds)
  const first = await writing.listOffset(options.topic, 0, -1)
  const consumed = consume(consumer, options.topic, first, total, (offset) => {
    const sent = sentMs.get(offset)
    if (sent !== undefined) latencies.add(performance.now() - sent)
    sentMs.delete(offset)
  })
  const startedMs = performance.now()
  const pending: Promise<void>[] = []
  for (let index = 0; index < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1000) * options.recordsPerSecond) + 1)
    for (; index < due; index++) {
      sentMs.set(first + index, performance.now())
      pending.push(send(producer, options))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(pending)
  await consumed
  writing.close()
  reading.close()
  return latencies
}

async function send(connection: WireConnection, { topic, recordBytes }: EndToEndOptions): Promise<void> {
  const records = buildBatch([{ timestamp: Date.now(), key: null, value: Buffer.alloc(recordBytes, 'kavka ') }])
  const { responses } = await connection.request(produceRequestCodec, produceResponseCodec, 9, {
    acks: -1, timeoutMs: 30_000, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
  })
  const code = responses[0]!.partitionResponses[0]!.errorCode
  if (code !== 0) throw new Error(`produce: ${errorName(code)}`)
}

async function consume(connection: WireConnection, topic: string, from: number, total: number, onRecord: (offset: number) => void): Promise<void> {
  let fetchOffset = from
  while (fetchOffset < from + total) {
    const { responses } = await connection.request(fetchRequestCodec, fetchResponseCodec, 12, {
      replicaId: -1, maxWaitMs: 500, minBytes: 1, maxBytes: 2 ** 20, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
      topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 2 ** 20 }] }],
    })
    const data = responses[0]!.partitions[0]!.records as Buffer | null
    for (const step of batchesIn(data ?? Buffer.alloc(0))) {
      if (step.kind !== 'complete') break
      for (const last = batchLastOffset(data!, step.at); fetchOffset <= last; fetchOffset++) onRecord(fetchOffset)
    }
  }
}
