import { CompressionTypes, Kafka, logLevel } from 'kafkajs'
import type { Consumer } from 'kafkajs'
import { eventually } from '../../process/eventually.ts'
import { freshName, same } from '../check.ts'
import type { CompatSuite } from '../check.ts'

const COUNT = 200

/** kafkajs 2.2: old versions of every API. */
export const kafkajsSuite: CompatSuite = {
  name: 'kafkajs',
  pace: 'quick',
  install: () => Promise.resolve(),
  checks: [
    { name: 'send, then eachMessage with keys and headers', run: sendAndRead },
    { name: 'sendBatch compressed and idempotent, then eachBatch with manual resolving', run: sendBatchAndRead },
    { name: 'admin: topics, partitions, configs, offsets, groups', run: administer },
  ],
}

function client(bootstrap: string): Kafka {
  return new Kafka({ clientId: 'compat', brokers: bootstrap.split(','), logLevel: logLevel.ERROR })
}

function messages(): { key: string; value: string; headers: Record<string, string> }[] {
  return Array.from({ length: COUNT }, (_, index) => ({ key: `k${index}`, value: `v${index}`, headers: { n: String(index) } }))
}

async function createTopic(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 3 }] })
  await admin.disconnect()
}

async function sendAndRead(bootstrap: string): Promise<void> {
  const kafka = client(bootstrap)
  const topic = freshName('kafkajs')
  await createTopic(kafka, topic)
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, acks: -1, messages: messages() })
  await producer.disconnect()
  const seen = new Map<string, string>()
  await reading(kafka, topic, async (consumer) => {
    await consumer.run({
      eachMessage: ({ message }) => {
        seen.set(message.key!.toString(), `${message.value!.toString()} ${message.headers!['n']!.toString()}`)
        return Promise.resolve()
      },
    })
    await eventually(() => seen.size === COUNT, { what: 'every message is read' })
  })
  same([...seen].toSorted(), messages().map(({ key, value, headers }) => [key, `${value} ${headers['n']!}`]).toSorted(), 'messages')
}

async function sendBatchAndRead(bootstrap: string): Promise<void> {
  const kafka = client(bootstrap)
  const topics = [freshName('kafkajs'), freshName('kafkajs')]
  for (const topic of topics) await createTopic(kafka, topic)
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  await producer.sendBatch({ compression: CompressionTypes.GZIP, topicMessages: topics.map((topic) => ({ topic, messages: messages() })) })
  await producer.disconnect()
  for (const topic of topics) {
    let seen = 0
    await reading(kafka, topic, async (consumer) => {
      await consumer.run({
        eachBatchAutoResolve: false,
        eachBatch: async ({ batch, resolveOffset, heartbeat, commitOffsetsIfNecessary }) => {
          for (const message of batch.messages) {
            seen += 1
            resolveOffset(message.offset)
          }
          await heartbeat()
          await commitOffsetsIfNecessary()
        },
      })
      await eventually(() => seen >= COUNT, { what: 'every batch is read' })
    })
    same(seen, COUNT, 'messages')
  }
}

async function reading(kafka: Kafka, topic: string, body: (consumer: Consumer) => Promise<void>): Promise<void> {
  const consumer = kafka.consumer({ groupId: freshName('group') })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  try {
    await body(consumer)
  } finally {
    await consumer.disconnect()
  }
}

async function administer(bootstrap: string): Promise<void> {
  const kafka = client(bootstrap)
  const topic = freshName('kafkajs')
  await createTopic(kafka, topic)
  const admin = kafka.admin()
  await admin.connect()
  same((await admin.describeCluster()).brokers.length, bootstrap.split(',').length, 'brokers')
  await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
  await eventually(async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]!.partitions.length === 4, { what: 'four partitions' })
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries: [{ name: 'retention.ms', value: '60000' }] }] })
  await eventually(async () => {
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: topic, configNames: ['retention.ms'] }] })
    return resources[0]!.configEntries[0]!.configValue === '60000'
  }, { what: 'the config is changed' })
  const group = freshName('group')
  await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '0' }] })
  same((await admin.fetchOffsets({ groupId: group, topics: [topic] }))[0]!.partitions.find((one) => one.partition === 0)?.offset, '0', 'committed offset')
  same((await admin.listGroups()).groups.some((one) => one.groupId === group), true, 'the group is listed')
  await admin.deleteGroups([group])
  await admin.deleteTopics({ topics: [topic] })
  await eventually(async () => !(await admin.listTopics()).includes(topic), { what: 'the topic is gone' })
  await admin.disconnect()
}
