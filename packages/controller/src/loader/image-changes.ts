/** Changes of several steps as one, and of a jump that no records describe. */
import type { MetadataChanges, MetadataImage } from '../metadata/image.ts'

/** Two steps in a row, as seen by somebody who has only `published`. */
export function mergeChanges(
  first: MetadataChanges,
  second: MetadataChanges,
  published: MetadataImage,
): MetadataChanges {
  const changed = new Set([...first.topicsCreatedOrChanged, ...second.topicsCreatedOrChanged])
  const deleted = new Map([...first.topicsDeleted, ...second.topicsDeleted])
  for (const id of deleted.keys()) {
    changed.delete(id)
    const known = published.topics.byId.get(id)
    if (known === undefined) deleted.delete(id)
    else deleted.set(id, known)
  }
  return {
    topicsCreatedOrChanged: changed,
    topicsDeleted: deleted,
    brokersChanged: new Set([...first.brokersChanged, ...second.brokersChanged]),
    configsChanged: new Set([...first.configsChanged, ...second.configsChanged]),
    featuresChanged: first.featuresChanged || second.featuresChanged,
  }
}

/**
 * From any image to any later one: everything that either has counts as changed, unless it is the very same
 * object.
 */
export function changesBetween(before: MetadataImage, after: MetadataImage): MetadataChanges {
  return {
    topicsCreatedOrChanged: changedKeys(new Map(), after.topics.byId, before.topics.byId),
    topicsDeleted: new Map([...before.topics.byId].filter(([id]) => !after.topics.byId.has(id))),
    brokersChanged: changedKeys(before.brokers, after.brokers, before.brokers),
    configsChanged: changedKeys(before.configs, after.configs, before.configs),
    featuresChanged: true,
  }
}

function changedKeys<K, V>(
  gone: ReadonlyMap<K, V>,
  after: ReadonlyMap<K, V>,
  before: ReadonlyMap<K, V>,
): Set<K> {
  return new Set([...gone.keys(), ...after.keys()].filter((key) => after.get(key) !== before.get(key)))
}
