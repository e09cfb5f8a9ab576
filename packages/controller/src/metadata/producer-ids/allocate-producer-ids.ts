/** AllocateProducerIds (67): a broker takes a block of ids, never given before and never again. */
import type {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse,
  Encodable,
  NodeId,
} from '@kavka/protocol'
import { ErrorCode } from '@kavka/protocol'
import type { Decision, DecisionContext } from '../decision.ts'
import { decided } from '../decision.ts'

export const PRODUCER_ID_BLOCK_SIZE = 1000

export function decideAllocateProducerIds(
  { image }: DecisionContext,
  request: AllocateProducerIdsRequest,
): Decision<Encodable<AllocateProducerIdsResponse>> {
  const brokerId = request.brokerId as NodeId
  const broker = image.brokers.get(brokerId)
  if (broker === undefined) return decided([], { errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED })
  if (broker.epoch !== request.brokerEpoch) return decided([], { errorCode: ErrorCode.STALE_BROKER_EPOCH })
  const producerIdStart = image.nextProducerId
  const nextProducerId = producerIdStart + PRODUCER_ID_BLOCK_SIZE
  if (!Number.isSafeInteger(nextProducerId)) return decided([], { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR })
  const record = { kind: 'producer-ids', brokerId, brokerEpoch: broker.epoch, nextProducerId } as const
  return decided([record], {
    errorCode: ErrorCode.NONE,
    producerIdStart,
    producerIdLen: PRODUCER_ID_BLOCK_SIZE,
  })
}
