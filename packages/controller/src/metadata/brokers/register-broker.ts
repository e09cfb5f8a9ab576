/**
 * BrokerRegistration (62): a broker process announces itself. It gets an epoch, the offset of its record, and
 * starts fenced.
 *
 * - Another cluster's id: INCONSISTENT_CLUSTER_ID.
 * - Another incarnation of the id is alive: DUPLICATE_BROKER_REGISTRATION. It is not, if it is shutting down,
 *   or if it has no liveness stream and the new process owns the same addresses: two processes cannot listen
 *   there.
 * - The same incarnation again (its answer was lost): the epoch stays, fencing stays.
 * - v3+ says with which epoch the last process stopped cleanly; any other process before this one stopped
 *   uncleanly (KIP-966).
 */
import type {
  BrokerEpoch,
  BrokerRegistrationRequest,
  BrokerRegistrationResponse,
  Encodable,
  NodeId,
} from '@kavka/protocol'
import { ErrorCode } from '@kavka/protocol'
import type { ApiError, Decision, DecisionContext } from '../decision.ts'
import { apiError, decided } from '../decision.ts'
import type { BrokerRegistration, Endpoint } from '../image.ts'
import { elrEnabled } from '../partitions/partition-changes.ts'
import type { MetadataRecord, RegisterBrokerRecord } from '../records.ts'
import type { BrokerSessions } from './broker-sessions.ts'
import { excludeAfterUncleanStop, fenceBroker } from './broker-turns.ts'
import { checkFeatures, checkLogDirs, endpointsOf, featuresOf } from './registration-checks.ts'

type Response = Encodable<BrokerRegistrationResponse>

export function decideRegisterBroker(
  context: DecisionContext,
  request: BrokerRegistrationRequest,
  sessions: BrokerSessions,
  nowMs: number,
): Decision<Response> {
  const brokerId = request.brokerId as NodeId
  const endpoints = endpointsOf(request.listeners)
  if (endpoints === null || brokerId < 0) return refused(apiError(ErrorCode.INVALID_REQUEST))
  const error = checkRegistration(context, request)
  if (error !== null) return refused(error)
  const existing = context.image.brokers.get(brokerId)
  const again = existing?.incarnationId === request.incarnationId ? existing : undefined
  if (existing !== undefined && again === undefined && isOccupied(existing, endpoints, sessions, nowMs)) {
    return refused(apiError(ErrorCode.DUPLICATE_BROKER_REGISTRATION))
  }
  const cleanUp = existing === undefined || again !== undefined ? [] : endPreviousIncarnation(context, existing, request)
  return {
    records: [...cleanUp, registrationOf(request, endpoints, again)],
    atomicity: 'any-prefix',
    respond: (offset) => ({ errorCode: ErrorCode.NONE, brokerEpoch: again?.epoch ?? (offset as BrokerEpoch) }),
  }
}

function checkRegistration({ image, settings }: DecisionContext, request: BrokerRegistrationRequest): ApiError | null {
  const { clusterId, features, logDirs } = request
  if (clusterId !== settings.clusterId) {
    return apiError(
      ErrorCode.INCONSISTENT_CLUSTER_ID,
      `Expected cluster id ${settings.clusterId}, but got ${clusterId}`,
    )
  }
  return (
    checkFeatures(image.features, featuresOf(features)) ??
    checkLogDirs(request.brokerId as NodeId, logDirs, image.brokers.values())
  )
}

/** `again`: what is known of the same incarnation. */
function registrationOf(
  request: BrokerRegistrationRequest,
  endpoints: readonly Endpoint[],
  again: BrokerRegistration | undefined,
): RegisterBrokerRecord {
  return {
    kind: 'register-broker',
    brokerId: request.brokerId as NodeId,
    brokerEpoch: again?.epoch ?? 'offset-of-batch',
    incarnationId: request.incarnationId,
    endpoints,
    rack: request.rack,
    features: featuresOf(request.features),
    logDirs: request.logDirs,
    fenced: again?.fenced ?? true,
    inControlledShutdown: again?.inControlledShutdown ?? false,
  }
}

function refused({ errorCode }: ApiError): Decision<Response> {
  return decided([], { errorCode, brokerEpoch: -1 })
}

function isOccupied(
  existing: BrokerRegistration,
  endpoints: readonly Endpoint[],
  sessions: BrokerSessions,
  nowMs: number,
): boolean {
  if (existing.inControlledShutdown || !sessions.isLive(existing.id, existing.epoch, nowMs)) return false
  const tookOver =
    !sessions.hasStream(existing.id, existing.epoch) && sameAddresses(existing.endpoints, endpoints)
  return !tookOver
}

function sameAddresses(one: readonly Endpoint[], other: readonly Endpoint[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ listener, host, port }) => {
      return other.some(
        (endpoint) => endpoint.listener === listener && endpoint.host === host && endpoint.port === port,
      )
    })
  )
}

function endPreviousIncarnation(
  context: DecisionContext,
  existing: BrokerRegistration,
  request: BrokerRegistrationRequest,
): MetadataRecord[] {
  const unclean = elrEnabled(context.image) && request.previousBrokerEpoch !== existing.epoch
  if (!unclean) return fenceBroker(context, existing)
  // The registration record that follows fences: only the partitions are left to do.
  return excludeAfterUncleanStop(context, existing)
}
