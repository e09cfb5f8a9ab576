/** Rules for topic names (KIP-4). */

const TOPIC_NAME_LENGTH_MAX = 249
const TOPIC_NAME = /^[a-zA-Z0-9._-]+$/
const INTERNAL_TOPICS: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])

/** May a topic be called that? */
export function isTopicName(name: string): boolean {
  return name.length > 0 && name.length <= TOPIC_NAME_LENGTH_MAX && name !== '.' && name !== '..' && TOPIC_NAME.test(name)
}

/** Topics that coordinators keep their state in. */
export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name)
}
