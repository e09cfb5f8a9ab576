/** A client in pure JavaScript, foreign to both sides: kafkajs. */
import { Kafka, Partitioners, logLevel } from 'kafkajs'

export interface KafkajsLoad {
  readonly bootstrap: string
  readonly topic: string
  readonly records: number
  readonly recordBytes: number
}

const RECORDS_PER_SEND = 100
const SENDS_IN_FLIGHT = 5

/** Sends the records with acks=all; resolves with the seconds that it took. */
export async function kafkajsProduce({ bootstrap, topic, records, recordBytes }: KafkajsLoad): Promise<number> {
  const producer = client(bootstrap).producer({ createPartitioner: Partitioners.DefaultPartitioner, allowAutoTopicCreation: false })
  await producer.connect()
  try {
    const value = Buffer.alloc(recordBytes, 'kavka ')
    const messages = Array.from({ length: RECORDS_PER_SEND }, () => ({ value }))
    const startedMs = performance.now()
    let left = Math.ceil(records / RECORDS_PER_SEND)
    await Promise.all(Array.from({ length: SENDS_IN_FLIGHT }, async () => {
      while (left-- > 0) await producer.send({ topic, acks: -1, messages })
    }))
    return (performance.now() - startedMs) / 1000
  } finally {
    await producer.disconnect()
  }
}

/** Reads the records from the start with one consumer of a group; resolves with the seconds from the first batch to the last. */
export async function kafkajsConsume({ bootstrap, topic, records }: KafkajsLoad, group: string): Promise<number> {
  const consumer = client(bootstrap).consumer({ groupId: group })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    return await new Promise((resolve, reject) => {
      let read = 0
      let firstMs: number | null = null
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
      consumer.run({
        eachBatch: ({ batch }) => {
          firstMs ??= performance.now()
          read += batch.messages.length
          if (read >= records) resolve((performance.now() - firstMs) / 1000)
          return Promise.resolve()
        },
      }).catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
}

function client(bootstrap: string): Kafka {
  return new Kafka({ clientId: 'compare', brokers: bootstrap.split(','), logLevel: logLevel.NOTHING, requestTimeout: 60_000 })
}
