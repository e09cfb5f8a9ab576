/**
 * Which partition a key belongs to: the hashes that clients and coordinators share, so that all of them
 * agree.
 */

const INT32_MIN = -0x8000_0000
const MURMUR_SEED = 0x9747b28c
const MURMUR_MIX = 0x5bd1e995

/** Java's `String.hashCode`: UTF-16 units, wrapping at 32 bits. int32. */
export function javaStringHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}

/** The absolute value, except that the smallest int32, which has none, becomes 0. */
export function javaAbs(value: number): number {
  return value === INT32_MIN ? 0 : Math.abs(value)
}

/**
 * Partition of `__consumer_offsets` or `__transaction_state` (or `__share_group_state`, with its own key) for
 * a key.
 */
export function coordinatorPartitionFor(key: string, partitions: number): number {
  return javaAbs(javaStringHash(key)) % partitions
}

/** The key by which the share coordinator of a partition is found. */
export function shareCoordinatorKey(groupId: string, topicId: string, partition: number): string {
  return `${groupId}:${topicId}:${partition}`
}

/** MurmurHash2 of 32 bits with the seed that Kafka's default partitioner uses. int32. */
export function murmur2(data: Buffer): number {
  let hash = MURMUR_SEED ^ data.length
  const whole = data.length & ~3
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(data.readInt32LE(at), MURMUR_MIX)
    word = Math.imul(word ^ (word >>> 24), MURMUR_MIX)
    hash = Math.imul(hash, MURMUR_MIX) ^ word
  }
  const tail = data.length - whole
  if (tail > 2) hash ^= data[whole + 2]! << 16
  if (tail > 1) hash ^= data[whole + 1]! << 8
  if (tail > 0) hash = Math.imul(hash ^ data[whole]!, MURMUR_MIX)
  hash = Math.imul(hash ^ (hash >>> 13), MURMUR_MIX)
  return hash ^ (hash >>> 15)
}

/** The partition that the default partitioner of Kafka's clients gives to a record with this key. */
export function partitionForKey(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitions
}
