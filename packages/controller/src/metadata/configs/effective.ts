/**
 * Values in force for a topic, as the controller sees them: topic override → dynamic broker default → this
 * node's file.
 */
import type { MetadataImage } from '../image.ts'
import { resourceKey } from '../image.ts'
import type { ControllerSettings } from '../decision.ts'

const TOPIC = 2
const BROKER = 4
const none: ReadonlyMap<string, string> = new Map()

export const MIN_INSYNC_REPLICAS = 'min.insync.replicas'
export const UNCLEAN_LEADER_ELECTION = 'unclean.leader.election.enable'

/** Overrides set on the topic itself. */
export function topicOverrides(image: MetadataImage, topic: string): ReadonlyMap<string, string> {
  return image.configs.get(resourceKey(TOPIC, topic)) ?? none
}

/** The dynamic defaults of all brokers. */
export function clusterOverrides(image: MetadataImage): ReadonlyMap<string, string> {
  return image.configs.get(resourceKey(BROKER, '')) ?? none
}

/** `min.insync.replicas` of a topic. */
export function minInsyncReplicas(image: MetadataImage, settings: ControllerSettings, topic: string): number {
  const text =
    topicOverrides(image, topic).get(MIN_INSYNC_REPLICAS) ?? clusterOverrides(image).get(MIN_INSYNC_REPLICAS)
  return text === undefined ? settings.config.minInsyncReplicas : Number(text)
}

/** Whether a replica outside the in-sync set may lead the topic's partitions. */
export function allowsUncleanElection(
  image: MetadataImage,
  settings: ControllerSettings,
  topic: string,
): boolean {
  const text =
    topicOverrides(image, topic).get(UNCLEAN_LEADER_ELECTION) ??
    image.configs.get(resourceKey(BROKER, String(settings.nodeId)))?.get(UNCLEAN_LEADER_ELECTION) ??
    clusterOverrides(image).get(UNCLEAN_LEADER_ELECTION)
  return text === undefined
    ? settings.config.uncleanLeaderElectionEnable
    : text.trim().toLowerCase() === 'true'
}
