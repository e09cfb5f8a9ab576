/**
 * ControllerRegistration (70): a controller tells its endpoints, so that brokers and tools can find it
 * (KIP-919).
 */
import type {
  ControllerRegistrationRequest,
  ControllerRegistrationResponse,
  Encodable,
  NodeId,
} from '@kavka/protocol'
import { ErrorCode } from '@kavka/protocol'
import type { ApiError, Decision, DecisionContext } from '../decision.ts'
import { apiError, decided } from '../decision.ts'
import { checkFeatures, endpointsOf, featuresOf } from './registration-checks.ts'

export function decideRegisterController(
  { image }: DecisionContext,
  request: ControllerRegistrationRequest,
): Decision<Encodable<ControllerRegistrationResponse>> {
  const features = featuresOf(request.features)
  const endpoints = endpointsOf(request.listeners)
  if (request.zkMigrationReady)
    return refused(apiError(ErrorCode.INVALID_REQUEST, 'ZooKeeper migration is not supported.'))
  if (endpoints === null || request.controllerId < 0) {
    return refused(apiError(ErrorCode.INVALID_REQUEST, 'Unknown security protocol or negative id.'))
  }
  const error = checkFeatures(image.features, features)
  if (error !== null) return refused(error)
  const controllerId = request.controllerId as NodeId
  const { incarnationId } = request
  const record = { kind: 'register-controller', controllerId, incarnationId, endpoints, features } as const
  return decided([record], { errorCode: ErrorCode.NONE, errorMessage: null })
}

function refused(error: ApiError): Decision<Encodable<ControllerRegistrationResponse>> {
  return decided([], { ...error })
}
