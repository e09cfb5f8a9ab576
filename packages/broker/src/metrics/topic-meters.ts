/** `kafka_server_brokertopicmetrics_*`: what clients wrote and read, by topic and over all topics (the series without a topic). */
import type { Counter, CounterFamily, Metrics } from '@kavka/kernel'

/** The counters of one topic, or of all; plain additions on the hot path. */
export interface TopicMeter {
  readonly messagesIn: Counter
  readonly bytesIn: Counter
  readonly bytesOut: Counter
  readonly bytesRejected: Counter
  readonly produceRequests: Counter
  readonly fetchRequests: Counter
  readonly failedProduceRequests: Counter
  readonly failedFetchRequests: Counter
}

const helpByName: Readonly<Record<keyof TopicMeter, readonly [name: string, help: string]>> = {
  messagesIn: ['messagesin', 'Records appended by producers.'],
  bytesIn: ['bytesin', 'Bytes of record batches appended by producers.'],
  bytesOut: ['bytesout', 'Bytes of record batches sent to consumers.'],
  bytesRejected: ['bytesrejected', 'Bytes of record batches refused as too large.'],
  produceRequests: ['totalproducerequests', 'Produce attempts, a partition each.'],
  fetchRequests: ['totalfetchrequests', 'Fetch attempts, a partition each.'],
  failedProduceRequests: ['failedproducerequests', 'Produce attempts that failed.'],
  failedFetchRequests: ['failedfetchrequests', 'Fetch attempts that failed.'],
}

export class TopicMeters {
  readonly #families = new Map<keyof TopicMeter, CounterFamily>()
  readonly #byTopic = new Map<string, TopicMeter>()
  /** Over all topics. */
  readonly all: TopicMeter

  constructor(metrics: Metrics) {
    for (const [field, [name, help]] of Object.entries(helpByName) as [keyof TopicMeter, readonly [string, string]][]) {
      this.#families.set(field, metrics.counter({ name: `kafka_server_brokertopicmetrics_${name}_total`, help, labels: ['topic'] }))
    }
    this.all = this.#create('')
  }

  /** Only for topics that exist: names that clients make up must not become series. */
  of(topic: string): TopicMeter {
    const known = this.#byTopic.get(topic)
    if (known !== undefined) return known
    const created = this.#create(topic)
    this.#byTopic.set(topic, created)
    return created
  }

  /** The topic was deleted. */
  remove(topic: string): void {
    if (!this.#byTopic.delete(topic)) return
    for (const family of this.#families.values()) family.remove(topic)
  }

  #create(topic: string): TopicMeter {
    const child = (field: keyof TopicMeter): Counter => this.#families.get(field)!.child(topic)
    return {
      messagesIn: child('messagesIn'),
      bytesIn: child('bytesIn'),
      bytesOut: child('bytesOut'),
      bytesRejected: child('bytesRejected'),
      produceRequests: child('produceRequests'),
      fetchRequests: child('fetchRequests'),
      failedProduceRequests: child('failedProduceRequests'),
      failedFetchRequests: child('failedFetchRequests'),
    }
  }
}
