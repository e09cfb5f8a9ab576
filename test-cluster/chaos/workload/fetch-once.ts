import { errorName, fetchRequestCodec, fetchResponseCodec } from '@kavka/protocol'
import type { BrokerLink } from './broker-link.ts'
import { decodeFetched } from './values.ts'
import type { Decoded } from './values.ts'

export type Fetched = (Decoded & { readonly highWatermark: number }) | { readonly error: string }

/** One fetch over a link that is connected; only a leader of exactly `leaderEpoch` answers it. */
export async function fetchOnce(
  link: BrokerLink,
  position: { readonly topic: string; readonly partition: number; readonly offset: number; readonly leaderEpoch: number },
  limits: { readonly waitMsMax: number; readonly bytesMax: number },
): Promise<Fetched> {
  const { topic, partition, offset, leaderEpoch } = position
  const { responses, errorCode } = await link.request(fetchRequestCodec, fetchResponseCodec, 12, {
    replicaId: -1, maxWaitMs: limits.waitMsMax, minBytes: 1, maxBytes: limits.bytesMax, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
    topics: [{
      topic,
      partitions: [{
        partition, currentLeaderEpoch: leaderEpoch, fetchOffset: offset, lastFetchedEpoch: -1, logStartOffset: -1,
        partitionMaxBytes: limits.bytesMax,
      }],
    }],
  })
  const answer = responses[0]?.partitions[0]
  if (answer === undefined) return { error: errorName(errorCode) }
  if (answer.errorCode !== 0) return { error: errorName(answer.errorCode) }
  const bytes = answer.records === null ? Buffer.alloc(0) : Buffer.isBuffer(answer.records) ? answer.records : Buffer.concat(answer.records)
  return { ...decodeFetched(bytes, offset), highWatermark: answer.highWatermark }
}
