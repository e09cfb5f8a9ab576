/** The configuration in force: the node's own, overlaid with what the metadata says for all brokers and for this one. */
import { brokerConfigKeys, resolveTopicConfig, rowsOf } from '@kavka/kernel'
import type { BrokerConfig, TopicConfig } from '@kavka/kernel'
import { resourceKey } from '@kavka/controller'
import type { ConfigResourceKey, MetadataChanges, MetadataImage } from '@kavka/controller'
import type { NodeId } from '@kavka/protocol'

const ALL_BROKERS = resourceKey(4, '')
const NO_OVERRIDES: ReadonlyMap<string, string> = new Map()

export interface DynamicConfigEvents {
  brokerChanged(config: BrokerConfig): void
}

export class DynamicConfig {
  readonly #static: BrokerConfig
  readonly #ownKey: ConfigResourceKey
  #image: MetadataImage
  #overrides: ReadonlyMap<string, string> = NO_OVERRIDES
  #current: BrokerConfig
  /**
   * Resolved settings by the overrides they were resolved from, which the image replaces and never changes. A log keeps its settings: one
   * object for each partition is 1.6 kB, eight megabytes of a node with 5,000.
   */
  #resolved = new WeakMap<ReadonlyMap<string, string>, TopicConfig>()

  constructor(options: { readonly config: BrokerConfig; readonly nodeId: NodeId; readonly image: MetadataImage }) {
    this.#static = options.config
    this.#ownKey = resourceKey(4, String(options.nodeId))
    this.#image = options.image
    this.#current = options.config
  }

  /** This broker's settings with dynamic values in place. */
  get current(): BrokerConfig {
    return this.#current
  }

  /** What a topic obeys on this broker. */
  topicConfig(topic: string): TopicConfig {
    const overrides = this.#image.configs.get(resourceKey(2, topic)) ?? NO_OVERRIDES
    const known = this.#resolved.get(overrides)
    if (known !== undefined) return known
    const resolved = resolveTopicConfig(this.#static, this.#overrides, overrides)
    this.#resolved.set(overrides, resolved)
    return resolved
  }

  /** Takes over a step of the metadata. What depends on topic settings is told by the replica manager, from the same image. */
  update(image: MetadataImage, changes: MetadataChanges, events: DynamicConfigEvents): void {
    this.#image = image
    if (!changes.configsChanged.has(ALL_BROKERS) && !changes.configsChanged.has(this.#ownKey)) return
    this.#overlay(image)
    events.brokerChanged(this.#current)
  }

  #overlay(image: MetadataImage): void {
    const forAll = image.configs.get(ALL_BROKERS) ?? NO_OVERRIDES
    const own = image.configs.get(this.#ownKey) ?? NO_OVERRIDES
    this.#overrides = new Map([...forAll, ...own])
    this.#resolved = new WeakMap()
    const values: Record<string, unknown> = { ...this.#static }
    for (const [property, row] of rowsOf(brokerConfigKeys)) {
      const text = row.scope === 'read-only' ? undefined : this.#overrides.get(row.name)
      const parsed = text === undefined ? null : row.parse(text)
      // A value that a newer version understands: the static one stays in force.
      if (parsed?.ok === true) values[property] = parsed.value
    }
    this.#current = values as BrokerConfig
  }
}
