import { assert, assertNever } from '@kavka/kernel'
import { BrokersDelta } from './brokers/brokers-delta.ts'
import { ConfigsDelta } from './configs/configs-delta.ts'
import type { MetadataChanges } from './image.ts'
import type { IndexedImage } from './partition-index.ts'
import type { MetadataRecord } from './records.ts'
import { TopicsDelta } from './topics/topics-delta.ts'

const TOPIC = 2

/**
 * The only way from one image to the next, on every node: records in, then the new image and what changed.
 */
export class MetadataDelta {
  readonly #base: IndexedImage
  readonly #brokers: BrokersDelta
  readonly #topics: TopicsDelta
  readonly #configs: ConfigsDelta
  #features: Map<string, number> | null = null
  #nextProducerId: number

  constructor(base: IndexedImage) {
    this.#base = base
    this.#brokers = new BrokersDelta(base.brokers, base.controllers)
    this.#topics = new TopicsDelta(base.topics, base.index)
    this.#configs = new ConfigsDelta(base.configs)
    this.#nextProducerId = base.nextProducerId
  }

  /** `offset`: of the log entry that holds the record. */
  replay(record: MetadataRecord, offset: number): void {
    switch (record.kind) {
      case 'register-broker':
        return this.#brokers.replayRegister(record, offset)
      case 'unregister-broker':
        return this.#brokers.replayUnregister(record)
      case 'broker-change':
        return this.#brokers.replayChange(record)
      case 'register-controller':
        return this.#brokers.replayController(record)
      case 'topic':
        return this.#topics.replayTopic(record)
      case 'partition':
        return this.#topics.replayPartition(record)
      case 'partition-change':
        return this.#topics.replayPartitionChange(record)
      case 'remove-topic':
        return this.#configs.removeResource(TOPIC, this.#topics.replayRemove(record))
      case 'config':
        return this.#configs.replay(record)
      case 'feature-level':
        return this.#replayFeature(record.name, record.level)
      case 'producer-ids':
        return this.#replayProducerIds(record.nextProducerId)
      case 'no-op':
        return
      default:
        assertNever(record)
    }
  }

  /** The image as of `offset`, written in the Raft epoch `epoch`. The delta must not be used after this. */
  finish(offset: number, epoch: number): { readonly image: IndexedImage; readonly changes: MetadataChanges } {
    assert(offset >= this.#base.offset, 'an image never goes back', { offset, base: this.#base.offset })
    const { brokers, controllers, changed: brokersChanged } = this.#brokers.finish()
    const { topics, index, changed: topicsCreatedOrChanged, deleted: topicsDeleted } = this.#topics.finish()
    const { configs, changed: configsChanged } = this.#configs.finish()
    const features = this.#features ?? this.#base.features
    return {
      image: {
        offset,
        epoch,
        brokers,
        controllers,
        topics,
        configs,
        features,
        index,
        nextProducerId: this.#nextProducerId,
      },
      changes: {
        topicsCreatedOrChanged,
        topicsDeleted,
        brokersChanged,
        configsChanged,
        featuresChanged: this.#features !== null,
      },
    }
  }

  #replayFeature(name: string, level: number): void {
    this.#features ??= new Map(this.#base.features)
    if (level === 0) this.#features.delete(name)
    else this.#features.set(name, level)
  }

  #replayProducerIds(nextProducerId: number): void {
    assert(nextProducerId >= this.#nextProducerId, 'producer ids are never given twice', { nextProducerId })
    this.#nextProducerId = nextProducerId
  }
}

/** One atomic batch on top of an image. */
export function replayBatch(
  base: IndexedImage,
  records: readonly MetadataRecord[],
  offset: number,
  epoch: number,
): IndexedImage {
  const delta = new MetadataDelta(base)
  for (const record of records) delta.replay(record, offset)
  return delta.finish(offset, epoch).image
}
