/** Which names a topic may have. */
export const TOPIC_NAME_LENGTH_MAX = 249

const internalTopics: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
])

export function isInternalTopic(name: string): boolean {
  return internalTopics.has(name)
}

/** The sentence that says what is wrong with the name; null when nothing is. */
export function problemOfTopicName(name: string): string | null {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed'
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed`
  if (name.length > TOPIC_NAME_LENGTH_MAX) {
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${TOPIC_NAME_LENGTH_MAX}`
  }
  if (/^[a-zA-Z0-9._-]+$/.test(name)) return null
  return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
}

/** Metric names know no dots: two topics whose names differ only in `.` and `_` would share theirs. */
export function collisionKey(name: string): string {
  return name.replaceAll('.', '_')
}
