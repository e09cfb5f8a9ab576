/** Which partition of a coordinator's topic a key belongs to: Java's string hash, so that clients, tools and Kafka agree. */

const INT32_MIN = -0x8000_0000

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

/** Partition of `__consumer_offsets` or `__transaction_state` for a group or a transactional id. */
export function coordinatorPartitionFor(key: string, partitions: number): number {
  return javaAbs(javaStringHash(key)) % partitions
}
