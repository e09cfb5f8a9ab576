import { emptyImage, resourceKey } from '@kavka/controller'
import type { MetadataChanges, MetadataImage } from '@kavka/controller'
import { loadBrokerConfig } from '@kavka/kernel'
import type { BrokerConfig } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { DynamicConfig } from './dynamic-config.ts'

const ALL_BROKERS = resourceKey(4, '')

function loaded(): BrokerConfig {
  const config = loadBrokerConfig(new Map([
    ['process.roles', 'broker,controller'], ['node.id', '1'], ['controller.quorum.voters', '1@127.0.0.1:9192'],
    ['listeners', 'PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9192'], ['controller.listener.names', 'CONTROLLER'],
  ]))
  if (!config.ok) throw new Error('the configuration of this test is wrong')
  return config.value.config
}

function image(configs: readonly (readonly [string, Record<string, string>])[]): MetadataImage {
  return { ...emptyImage, configs: new Map(configs.map(([key, values]) => [key as typeof ALL_BROKERS, new Map(Object.entries(values))])) }
}

function changed(...keys: string[]): MetadataChanges {
  return {
    topicsCreatedOrChanged: new Set(), topicsDeleted: new Map(), brokersChanged: new Set(), featuresChanged: false,
    configsChanged: new Set(keys as (typeof ALL_BROKERS)[]),
  }
}

const events = { brokerChanged: () => {} }

test('topics without overrides share one object: a log of each partition keeps it', () => {
  const config = new DynamicConfig({ config: loaded(), nodeId: 1 as NodeId, image: emptyImage })
  expect(config.topicConfig('a')).toBe(config.topicConfig('b'))
})

test('an override is seen at once, and so is its end', () => {
  const config = new DynamicConfig({ config: loaded(), nodeId: 1 as NodeId, image: emptyImage })
  const key = resourceKey(2, 'a')
  const before = config.topicConfig('a')
  config.update(image([[key, { 'retention.ms': '1000' }]]), changed(key), events)
  expect(config.topicConfig('a').retentionMs).toBe(1000)
  expect(config.topicConfig('a')).toBe(config.topicConfig('a'))
  config.update(image([[key, { 'retention.ms': '2000' }]]), changed(key), events)
  expect(config.topicConfig('a').retentionMs).toBe(2000)
  expect(config.topicConfig('b').retentionMs).toBe(before.retentionMs)
  config.update(emptyImage, changed(key), events)
  expect(config.topicConfig('a')).toEqual(before)
})

test('a changed default of the brokers reaches topics that were resolved before', () => {
  const config = new DynamicConfig({ config: loaded(), nodeId: 1 as NodeId, image: emptyImage })
  expect(config.topicConfig('a').maxMessageBytes).not.toBe(5000)
  config.update(image([[ALL_BROKERS, { 'message.max.bytes': '5000' }]]), changed(ALL_BROKERS), events)
  expect(config.topicConfig('a').maxMessageBytes).toBe(5000)
})
