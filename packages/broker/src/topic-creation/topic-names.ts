import { problemOfTopicName } from '@kavka/controller'

export { isInternalTopic } from '@kavka/controller'

/** May a topic be called that? */
export function isTopicName(name: string): boolean {
  return problemOfTopicName(name) === null
}
