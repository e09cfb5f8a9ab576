/** For tests of this package: an image as plain sorted data, equal exactly when the images are. */
import { LOST_DIRECTORY } from '../metadata/directories.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { IndexedImage } from '../metadata/partition-index.ts'

export function describeImage(image: IndexedImage): unknown {
  const { topics, index, ...rest } = image
  return plain({ ...rest, topics: { byId: topics.byId, names: [...topics.byName.keys()].sort() }, index })
}

/** Without the position in the log. */
export function contentOf(image: IndexedImage): unknown {
  return describeImage({ ...image, offset: 0, epoch: 0 })
}

export function partitionLine(image: MetadataImage, topicName: string, number: number): string {
  const { replicas, directories, isr, elr, lastKnownElr, leader, leaderRecovery, leaderEpoch, partitionEpoch } =
    image.topics.byName.get(topicName)!.partitions[number]!
  const lost = replicas.filter((_, i) => directories[i] === LOST_DIRECTORY)
  const parts = [
    `${topicName}-${number}`,
    `leader=${leader ?? 'none'}`,
    `isr=${list(isr)}`,
    ...(elr.length > 0 ? [`elr=${list(elr)}`] : []),
    ...(lastKnownElr.length > 0 ? [`last-known=${list(lastKnownElr)}`] : []),
    ...(leaderRecovery === 'recovering' ? ['recovering'] : []),
    `replicas=${list(replicas)}`,
    ...(lost.length > 0 ? [`lost=${list(lost)}`] : []),
    `epochs=${leaderEpoch}/${partitionEpoch}`,
  ]
  return parts.join(' ')
}

function list(ids: readonly number[]): string {
  return `[${ids.join(',')}]`
}

function plain(value: unknown): unknown {
  if (value instanceof Set) return [...value].sort()
  if (isMap(value))
    return Object.fromEntries([...value].map(([key, one]) => [String(key), plain(one)]).sort())
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
  return value
}

function isMap(value: unknown): value is ReadonlyMap<unknown, unknown> {
  return typeof value === 'object' && value !== null && 'entries' in value && 'size' in value
}
