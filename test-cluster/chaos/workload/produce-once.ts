import { errorName, produceRequestCodec, produceResponseCodec } from '@kavka/protocol'
import type { BrokerLink } from './broker-link.ts'
import { errorOf } from './broker-link.ts'

export type Produced = { readonly baseOffset: number } | { readonly error: string }

const PURGATORY_MS_MAX = 4000

/** One batch with acks=all over a link that is connected. */
export async function produceOnce(link: BrokerLink, topic: string, partition: number, records: Buffer): Promise<Produced> {
  try {
    const { responses } = await link.request(produceRequestCodec, produceResponseCodec, 9, {
      acks: -1, timeoutMs: PURGATORY_MS_MAX, topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
    })
    const answer = responses[0]!.partitionResponses[0]!
    return answer.errorCode === 0 ? { baseOffset: answer.baseOffset } : { error: errorName(answer.errorCode) }
  } catch (error) {
    return { error: errorOf(error) }
  }
}
