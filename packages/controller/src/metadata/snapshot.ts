import type { ConfigResourceType, BrokerRegistration, MetadataImage } from './image.ts'
import type { MetadataRecord, SupportedFeature } from './records.ts'
import { MetadataDelta } from './delta.ts'
import { emptyIndexedImage } from './partition-index.ts'
import type { IndexedImage } from './partition-index.ts'

/** The records that make this image out of an empty one: the content of a snapshot. */
export function recordsOf(image: MetadataImage): MetadataRecord[] {
  return [
    ...featureRecords(image),
    ...nodeRecords(image),
    ...topicRecords(image),
    ...configRecords(image),
    ...producerIdRecords(image),
  ]
}

/** The image of a snapshot that holds everything up to and including `offset`. */
export function imageOf(records: readonly MetadataRecord[], offset: number, epoch: number): IndexedImage {
  const delta = new MetadataDelta(emptyIndexedImage)
  for (const record of records) delta.replay(record, offset)
  return delta.finish(offset, epoch).image
}

function* featureRecords(image: MetadataImage): Generator<MetadataRecord> {
  for (const [name, level] of image.features) yield { kind: 'feature-level', name, level }
}

function* nodeRecords(image: MetadataImage): Generator<MetadataRecord> {
  for (const controller of image.controllers.values()) {
    const { id: controllerId, incarnationId, endpoints, features } = controller
    yield {
      kind: 'register-controller',
      controllerId,
      incarnationId,
      endpoints,
      features: supported(features),
    }
  }
  for (const { id: brokerId, epoch: brokerEpoch, features, ...broker } of image.brokers.values()) {
    yield { kind: 'register-broker', brokerId, brokerEpoch, features: supported(features), ...broker }
  }
}

function supported(features: BrokerRegistration['features']): SupportedFeature[] {
  return [...features].map(([name, { min, max }]) => ({ name, min, max }))
}

function* topicRecords(image: MetadataImage): Generator<MetadataRecord> {
  for (const topic of image.topics.byId.values()) {
    yield { kind: 'topic', topicId: topic.id, name: topic.name }
    for (const partition of topic.partitions) yield { kind: 'partition', topicId: topic.id, ...partition }
  }
}

function* configRecords(image: MetadataImage): Generator<MetadataRecord> {
  for (const [key, overrides] of image.configs) {
    const separator = key.indexOf(':')
    const resourceType = Number(key.slice(0, separator)) as ConfigResourceType
    const resourceName = key.slice(separator + 1)
    for (const [name, value] of overrides) yield { kind: 'config', resourceType, resourceName, name, value }
  }
}

function* producerIdRecords(image: MetadataImage): Generator<MetadataRecord> {
  // The broker that took the last block does not matter once the block is given.
  if (image.nextProducerId === 0) return
  yield {
    kind: 'producer-ids',
    brokerId: 0 as never,
    brokerEpoch: 0 as never,
    nextProducerId: image.nextProducerId,
  }
}
