/** Resolves the topic of a request item, by name or from some version on by id, and asks for the permission. */
import type { MetadataImage, TopicImage } from '@kavka/controller'
import { ErrorCode } from '@kavka/protocol'
import type { AclOperation, Authorizer } from '../security/authorizer.ts'
import type { RequestContext } from './handler.ts'

export type TopicLookup =
  | { readonly kind: 'found'; readonly topic: TopicImage }
  | { readonly kind: 'refused'; readonly errorCode: number }

/** Permission first: whoever has none must not learn whether the topic exists. */
export function topicByName(
  name: string,
  operation: AclOperation,
  context: RequestContext,
  services: { readonly authorizer: Authorizer; image(): MetadataImage },
): TopicLookup {
  if (!services.authorizer.authorize(context, operation, { type: 'Topic', name })) {
    return { kind: 'refused', errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED }
  }
  const topic = services.image().topics.byName.get(name)
  if (topic === undefined) return { kind: 'refused', errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
  return { kind: 'found', topic }
}

/** UNKNOWN_TOPIC_OR_PARTITION for a partition that the topic does not have, else NONE. */
export function errorOfPartition(topic: TopicImage, partition: number): number {
  return topic.partitions[partition] === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.NONE
}
