import { ClusterClient } from '../client/cluster-client.ts'
import { PartitionWriter } from './partition-writer.ts'
import { readPartition } from './read-partition.ts'
import { judge, sumOf } from './verdict.ts'
import type { Verdict } from './verdict.ts'

export interface WriteLoadOptions {
  readonly bootstrap: string
  readonly topic: string
  readonly partitions: number
  readonly recordsPerBatch?: number
  readonly valueBytes?: number
}

/** An idempotent and a plain writer for each partition of a topic, writing without pause. */
export class WriteLoad {
  readonly writers: readonly PartitionWriter[]
  readonly #client: ClusterClient
  readonly #options: WriteLoadOptions
  #running: Promise<unknown> = Promise.resolve()
  #failure: unknown = null

  private constructor(client: ClusterClient, writers: readonly PartitionWriter[], options: WriteLoadOptions) {
    this.#client = client
    this.writers = writers
    this.#options = options
  }

  static async start(options: WriteLoadOptions): Promise<WriteLoad> {
    const { bootstrap, topic, partitions, recordsPerBatch = 10, valueBytes = 100 } = options
    const client = new ClusterClient(bootstrap)
    await client.createTopic(topic, { partitions, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } })
    const common = { topic, recordsPerBatch, valueBytes, nowMs: () => performance.now() }
    const writers: PartitionWriter[] = []
    for (let partition = 0; partition < partitions; partition++) {
      writers.push(new PartitionWriter(client, { ...common, partition, name: 'idempotent', producer: await client.producerId() }))
      writers.push(new PartitionWriter(client, { ...common, partition, name: 'plain', producer: null }))
    }
    const load = new WriteLoad(client, writers, options)
    load.#running = Promise.all(writers.map((writer) => writer.run())).catch((error: unknown) => {
      load.#failure = error
    })
    return load
  }

  get client(): ClusterClient {
    return this.#client
  }

  /** Throws what ended a writer that should have gone on. */
  assertAlive(): void {
    if (this.#failure !== null) throw this.#failure
  }

  acknowledgedCount(): number {
    return this.writers.reduce((sum, writer) => sum + writer.acknowledged.length, 0)
  }

  /** True when every writer got an acknowledgment for a batch it sent after `sinceMs`. */
  allWroteSince(sinceMs: number): boolean {
    return this.writers.every((writer) => (writer.acknowledged.at(-1)?.invokedMs ?? -1) >= sinceMs)
  }

  /** Longest time between two acknowledgments of one partition around `fromMs` … `toMs`, over all partitions. */
  longestGapMs(fromMs: number, toMs: number): number {
    return Math.max(...this.writers.map((writer) => gapOf(writer, fromMs, toMs)))
  }

  async stop(): Promise<void> {
    for (const writer of this.writers) writer.stop()
    await this.#running
    this.assertAlive()
  }

  /** Reads everything back with a fresh client and judges it. */
  async verify(): Promise<Verdict> {
    const reader = new ClusterClient(this.#options.bootstrap)
    try {
      const verdicts: Verdict[] = []
      for (let partition = 0; partition < this.#options.partitions; partition++) {
        const records = await readPartition(reader, this.#options.topic, partition)
        for (const writer of this.writers) if (writer.options.partition === partition) verdicts.push(judge(writer, records))
      }
      return sumOf(verdicts)
    } finally {
      reader.close()
    }
  }

  close(): void {
    this.#client.close()
  }
}

function gapOf(writer: PartitionWriter, fromMs: number, toMs: number): number {
  let longest = 0
  let previous: number | null = null
  for (const { acknowledgedMs } of writer.acknowledged) {
    if (previous !== null && acknowledgedMs >= fromMs && previous <= toMs) longest = Math.max(longest, acknowledgedMs - previous)
    previous = acknowledgedMs
  }
  return longest
}
