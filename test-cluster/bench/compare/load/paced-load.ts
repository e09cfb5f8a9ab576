/**
 * Records at a steady rate and the time until each can be read, from outside the JVM, for both sides the same.
 *
 * The generator does not wait for the cluster (open loop), so a stall is seen by every record that falls into it. It batches as a
 * producer with linger.ms=0 does: what is due goes out at once while fewer than five requests of a leader are unanswered, else with the
 * next, and no batch is larger than batch.size.
 */
import { batchLastOffset, batchesIn, buildBatch, errorName, fetchRequestCodec, fetchResponseCodec, produceRequestCodec, produceResponseCodec } from '@kavka/protocol'
import { ClusterClient } from '../../../client/cluster-client.ts'
import { WireConnection } from '../../../client/wire-connection.ts'
import { Latencies } from '../../latencies.ts'

export interface PacedLoadOptions {
  readonly bootstrap: string
  readonly topic: string
  readonly recordBytes: number
  readonly recordsPerSecond: number
  readonly seconds: number
  /** At the start; their latencies do not count. */
  readonly warmupSeconds: number
}

const IN_FLIGHT_MAX = 5
const TICK_MS = 1
/** What a batch of a producer has by default; the partition changes after as many (KIP-794). */
const BATCH_BYTES = 16_384
const DRAIN_MS_MAX = 30_000

/** Times from handing a record to the generator until a consumer that waits for it has it. */
export async function pacedLoad(options: PacedLoadOptions): Promise<Latencies> {
  const latencies = new Latencies()
  const countFromMs = performance.now() + options.warmupSeconds * 1000
  const lanes = await openLanes(options, (handedMs) => {
    if (handedMs >= countFromMs) latencies.add(performance.now() - handedMs)
  })
  try {
    await handOver(options, lanes)
    await drained(lanes)
    for (const lane of lanes) lane.assertAlive()
    return latencies
  } finally {
    for (const lane of lanes) lane.close()
  }
}

async function openLanes({ bootstrap, topic, recordBytes }: PacedLoadOptions, onRead: (handedMs: number) => void): Promise<Lane[]> {
  const client = new ClusterClient(bootstrap)
  try {
    const { topics, brokers } = await client.metadata([topic])
    return await Promise.all(topics[0]!.partitions.map(async ({ partitionIndex, leaderId }) => {
      const { host, port } = brokers.find(({ nodeId }) => nodeId === leaderId)!
      const [writing, reading] = await Promise.all([WireConnection.open(host, port), WireConnection.open(host, port)])
      const from = await client.listOffset(topic, partitionIndex, -1)
      return new Lane({ topic, partition: partitionIndex, value: Buffer.alloc(recordBytes, 'kavka '), from }, writing, reading, onRead)
    }))
  } finally {
    client.close()
  }
}

async function handOver({ recordsPerSecond, seconds, warmupSeconds, recordBytes }: PacedLoadOptions, lanes: readonly Lane[]): Promise<void> {
  const total = Math.floor(recordsPerSecond * (seconds + warmupSeconds))
  const recordsPerTurn = Math.max(1, Math.floor(BATCH_BYTES / recordBytes))
  const startedMs = performance.now()
  for (let index = 0; index < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1000) * recordsPerSecond) + 1)
    for (; index < due; index++) lanes[Math.floor(index / recordsPerTurn) % lanes.length]!.hand(performance.now())
    for (const lane of lanes) {
      lane.assertAlive()
      lane.send()
    }
    await new Promise((resolve) => {
      setTimeout(resolve, TICK_MS)
    })
  }
}

async function drained(lanes: readonly Lane[]): Promise<void> {
  const deadlineMs = performance.now() + DRAIN_MS_MAX
  while (lanes.some((lane) => lane.unread > 0)) {
    for (const lane of lanes) lane.assertAlive()
    if (performance.now() > deadlineMs) throw new Error(`${lanes.reduce((sum, { unread }) => sum + unread, 0)} records were not read within ${DRAIN_MS_MAX} ms`)
    await new Promise((resolve) => {
      setTimeout(resolve, 10)
    })
  }
}

interface LaneOptions {
  readonly topic: string
  readonly partition: number
  readonly value: Buffer
  /** End of the log before the load. */
  readonly from: number
}

/** The writer and the reader of one partition. */
class Lane {
  readonly #options: LaneOptions
  readonly #batchRecordsMax: number
  readonly #writing: WireConnection
  readonly #reading: WireConnection
  readonly #onRead: (handedMs: number) => void
  /** When each record that is not read yet was handed over, in the order of the log: requests of one connection are appended in order. */
  readonly #handedMs: number[] = []
  #readCount = 0
  #sentCount = 0
  #inFlight = 0
  #failure: unknown = null

  constructor(options: LaneOptions, writing: WireConnection, reading: WireConnection, onRead: (handedMs: number) => void) {
    this.#options = options
    this.#batchRecordsMax = Math.max(1, Math.floor(BATCH_BYTES / options.value.length))
    this.#writing = writing
    this.#reading = reading
    this.#onRead = onRead
    this.#read().catch((error: unknown) => {
      this.#failure ??= error
    })
  }

  get unread(): number {
    return this.#handedMs.length - this.#readCount
  }

  hand(nowMs: number): void {
    this.#handedMs.push(nowMs)
  }

  /** Sends what is due, unless enough requests are unanswered. */
  send(): void {
    while (this.#inFlight < IN_FLIGHT_MAX && this.#sentCount < this.#handedMs.length) {
      const count = Math.min(this.#batchRecordsMax, this.#handedMs.length - this.#sentCount)
      this.#sentCount += count
      this.#inFlight += 1
      this.#produce(count).then(() => {
        this.#inFlight -= 1
        this.send()
      }, (error: unknown) => {
        this.#failure ??= error
      })
    }
  }

  assertAlive(): void {
    if (this.#failure !== null) throw this.#failure
  }

  close(): void {
    this.#failure ??= new Error('closed')
    this.#writing.close()
    this.#reading.close()
  }

  async #produce(count: number): Promise<void> {
    const { topic, partition, value } = this.#options
    const timestamp = Date.now()
    const records = buildBatch(Array.from({ length: count }, () => ({ timestamp, key: null, value })))
    const { responses } = await this.#writing.request(produceRequestCodec, produceResponseCodec, 9, {
      acks: -1, timeoutMs: 30_000, topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
    })
    const code = responses[0]!.partitionResponses[0]!.errorCode
    if (code !== 0) throw new Error(`produce: ${errorName(code)}`)
  }

  async #read(): Promise<void> {
    const { topic, partition, from } = this.#options
    while (this.#failure === null) {
      const { responses } = await this.#reading.request(fetchRequestCodec, fetchResponseCodec, 12, {
        replicaId: -1, maxWaitMs: 500, minBytes: 1, maxBytes: 2 ** 20, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
        topics: [{ topic, partitions: [{ partition, fetchOffset: from + this.#readCount, partitionMaxBytes: 2 ** 20 }] }],
      })
      const { errorCode, records } = responses[0]!.partitions[0]!
      if (errorCode !== 0) throw new Error(`fetch: ${errorName(errorCode)}`)
      this.#took((records as Buffer | null) ?? Buffer.alloc(0))
    }
  }

  #took(data: Buffer): void {
    for (const step of batchesIn(data)) {
      if (step.kind !== 'complete') break
      const end = batchLastOffset(data, step.at) + 1 - this.#options.from
      for (; this.#readCount < end; this.#readCount++) this.#onRead(this.#handedMs[this.#readCount]!)
    }
  }
}
