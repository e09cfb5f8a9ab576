/**
 * A smaller `min.insync.replicas` may allow a leader to commit with fewer replicas than when its eligible set
 * was made: members of the set then fall behind and are eligible no more. Kafka forgets the sets of all
 * topics concerned; here only those go that the new minimum makes wrong, so that a leaderless partition keeps
 * the replicas that can be elected without loss.
 */
import type { DecisionContext } from '../decision.ts'
import type { TopicImage } from '../image.ts'
import { partitionsIn } from '../partition-index.ts'
import type { ConfigRecord, MetadataRecord } from '../records.ts'
import { partitionChange } from '../records.ts'
import { replayBatch } from '../delta.ts'
import { MIN_INSYNC_REPLICAS, minInsyncReplicas } from './effective.ts'

/** To be committed with the config records given. */
export function elrAfterMinIsrChange(
  context: DecisionContext,
  configs: readonly ConfigRecord[],
): MetadataRecord[] {
  if (!configs.some(({ name }) => name === MIN_INSYNC_REPLICAS)) return []
  const { image, settings } = context
  const after = replayBatch(image, configs, image.offset, image.epoch)
  const records: MetadataRecord[] = []
  for (const { topic, registration } of partitionsIn(image, image.index.withElr)) {
    const minIsr = minIsrOf(topic)
    if (registration.isr.length < Math.min(minIsr, registration.replicas.length)) continue
    records.push(partitionChange(topic.id, registration.partition, { elr: [] }))
  }
  return records

  function minIsrOf(topic: TopicImage): number {
    return minInsyncReplicas(after, settings, topic.name)
  }
}
