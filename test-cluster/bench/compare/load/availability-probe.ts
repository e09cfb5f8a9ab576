import { setTimeout as sleep } from 'node:timers/promises'
import { ClusterClient } from '../../../client/cluster-client.ts'
import { PartitionWriter } from '../../../scenarios/partition-writer.ts'

/** Between two records of a partition: finer than what is measured, too slow to be a load. */
const EVERY_MS = 5
const RECORDS_PER_BATCH = 1
const VALUE_BYTES = 100

/** One writer for each partition that always wants its next record acknowledged by every in-sync replica. */
export class AvailabilityProbe {
  readonly #client: ClusterClient
  readonly #writers: readonly PartitionWriter[]
  #running: Promise<unknown> = Promise.resolve()
  #stopped = false
  #failure: unknown = null

  constructor(bootstrap: string, topic: string, partitions: readonly number[]) {
    this.#client = new ClusterClient(bootstrap)
    this.#writers = partitions.map((partition) => new PartitionWriter(this.#client, {
      topic, partition, name: 'probe', recordsPerBatch: RECORDS_PER_BATCH, valueBytes: VALUE_BYTES, producer: null, nowMs: () => performance.now(),
    }))
  }

  start(): void {
    this.#running = Promise.all(this.#writers.map((writer) => this.#write(writer))).catch((error: unknown) => {
      this.#failure = error
    })
  }

  async #write(writer: PartitionWriter): Promise<void> {
    while (!this.#stopped) {
      await writer.run(writer.acknowledged.length + 1)
      await sleep(EVERY_MS)
    }
  }

  /** True when every writer got an acknowledgment for a record that it sent after `sinceMs`. Throws what ended a writer. */
  allWroteSince(sinceMs: number): boolean {
    if (this.#failure !== null) throw this.#failure
    return this.#writers.every((writer) => (writer.acknowledged.at(-1)?.invokedMs ?? -1) >= sinceMs)
  }

  /** Longest time of any partition between two acknowledgments from `fromMs` on. */
  longestGapMs(fromMs: number): number {
    return Math.max(...this.#writers.map((writer) => longestGapMs(writer.acknowledged.map(({ acknowledgedMs }) => acknowledgedMs), fromMs)))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const writer of this.#writers) writer.stop()
    await this.#running
    this.#client.close()
    if (this.#failure !== null) throw this.#failure
  }
}

/** Longest time between two neighbors of which the later is not before `fromMs`; 0 when there are none. */
export function longestGapMs(timesMs: readonly number[], fromMs: number): number {
  return timesMs.reduce((longest, time, index) => {
    const previous = timesMs[index - 1]
    return previous === undefined || time < fromMs ? longest : Math.max(longest, time - previous)
  }, 0)
}
