/**
 * UnregisterBroker (64): forgets a broker that is gone for good. Its replicas stay assigned until they are
 * moved away.
 */
import type { Encodable, NodeId, UnregisterBrokerRequest, UnregisterBrokerResponse } from '@kavka/protocol'
import { ErrorCode } from '@kavka/protocol'
import type { Decision, DecisionContext } from '../decision.ts'
import { decided, decidedInParts } from '../decision.ts'
import { fenceBroker } from './broker-turns.ts'

export function decideUnregisterBroker(
  context: DecisionContext,
  request: UnregisterBrokerRequest,
): Decision<Encodable<UnregisterBrokerResponse>> {
  const broker = context.image.brokers.get(request.brokerId as NodeId)
  if (broker === undefined) {
    const errorMessage = `Broker ID ${request.brokerId} is not currently registered`
    return decided([], { errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED, errorMessage })
  }
  const left = fenceBroker(context, broker)
  const record = { kind: 'unregister-broker', brokerId: broker.id, brokerEpoch: broker.epoch } as const
  return decidedInParts([...left, record], { errorCode: ErrorCode.NONE, errorMessage: null })
}
