import { consumerProtocolSubscriptionCodec, DecodeError, Reader } from '@kavka/protocol'

/** The `protocolType` of consumers; only their metadata is ever looked into. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

/**
 * Topics that the members of a consumer group subscribe to: their offsets do not expire and are not deleted.
 * Version 0 of the subscription is a prefix of all later ones, and is all that is read. Null: not a consumer
 * group, no protocol yet, or not readable.
 */
export function subscribedTopicsOf(
  protocolType: string | null,
  protocolName: string | null,
  subscriptions: readonly Buffer[],
): ReadonlySet<string> | null {
  if (protocolType !== CONSUMER_PROTOCOL_TYPE) return null
  const topics = new Set<string>()
  if (subscriptions.length === 0) return topics
  if (protocolName === null) return null
  try {
    for (const subscription of subscriptions) {
      const reader = new Reader(subscription)
      reader.int16()
      for (const topic of consumerProtocolSubscriptionCodec.decode(reader, 0).topics) topics.add(topic)
    }
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
  return topics
}
