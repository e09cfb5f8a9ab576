/**
 * BrokerHeartbeat (63): how a broker stays alive, is unfenced once its metadata reached its own registration
 * and the step that fenced it, and leaves. Kafka asks for the first alone: a broker that was cut off is then
 * counted in again while it still takes itself for the leader of what others lead by now.
 *
 *   fenced ──caught up──▶ active ──wants to shut down──▶ controlled-shutdown ──leads nothing,──▶ may-stop
 *     ▲                     │                                      all active brokers know it     (fenced)
 *     └────wants fencing────┘
 */
import type { BrokerHeartbeatRequest, BrokerHeartbeatResponse, Encodable, NodeId } from '@kavka/protocol'
import { ErrorCode } from '@kavka/protocol'
import type { Decision, DecisionContext } from '../decision.ts'
import { decided, decidedInParts } from '../decision.ts'
import { replayBatch } from '../delta.ts'
import type { BrokerRegistration } from '../image.ts'
import type { MetadataRecord } from '../records.ts'
import { brokerChange } from '../records.ts'
import type { BrokerSessions } from './broker-sessions.ts'
import { fenceBroker, loseDirectory, startControlledShutdown, unfenceBroker } from './broker-turns.ts'

type Response = Encodable<BrokerHeartbeatResponse>
export type BrokerState = 'fenced' | 'active' | 'controlled-shutdown' | 'may-stop'

/** The session's facts must include this heartbeat. */
export function decideHeartbeat(
  context: DecisionContext,
  request: BrokerHeartbeatRequest,
  sessions: BrokerSessions,
): Decision<Response> & { readonly next: BrokerState | null } {
  const broker = context.image.brokers.get(request.brokerId as NodeId)
  if (broker === undefined)
    return { ...decided([], { errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED }), next: null }
  if (broker.epoch !== request.brokerEpoch)
    return { ...decided([], { errorCode: ErrorCode.STALE_BROKER_EPOCH }), next: null }
  const next = nextState(context, broker, request, sessions)
  const response: Response = {
    errorCode: ErrorCode.NONE,
    isCaughtUp: isCaughtUp(broker, request, sessions),
    isFenced: next === 'fenced' || next === 'may-stop',
    shouldShutDown: next === 'may-stop',
  }
  const turn = recordsFor(context, broker, next)
  return { ...decidedInParts([...turn, ...offlineDirectories(context, turn, request)], response), next }
}

/** Directories that failed since the registration, judged on what the broker's own turn leaves (KIP-858). */
function offlineDirectories(
  context: DecisionContext,
  turn: readonly MetadataRecord[],
  { brokerId, offlineLogDirs }: BrokerHeartbeatRequest,
): readonly MetadataRecord[] {
  const { logDirs } = context.image.brokers.get(brokerId as NodeId)!
  const failed = logDirs.filter((id) => offlineLogDirs.includes(id))
  if (failed.length === 0 || failed.length === logDirs.length) return []
  const { offset, epoch } = context.image
  const image = replayBatch(context.image, turn, offset, epoch)
  const broker = image.brokers.get(brokerId as NodeId)!
  const online = logDirs.filter((id) => !failed.includes(id))
  return [
    ...failed.flatMap((directory) => loseDirectory({ ...context, image }, broker, directory)),
    brokerChange(broker, { logDirs: online }),
  ]
}

/** A broker without a directory is no broker; it is about to stop. */
function hasNoDirectory({ logDirs }: BrokerRegistration, { offlineLogDirs }: BrokerHeartbeatRequest): boolean {
  return logDirs.length > 0 && logDirs.every((id) => offlineLogDirs.includes(id))
}

function isCaughtUp({ id, epoch, fenced }: BrokerRegistration, { currentMetadataOffset }: BrokerHeartbeatRequest, sessions: BrokerSessions): boolean {
  return currentMetadataOffset >= epoch && (!fenced || currentMetadataOffset >= sessions.fencedAt(id))
}

function nextState(
  context: DecisionContext,
  broker: BrokerRegistration,
  request: BrokerHeartbeatRequest,
  sessions: BrokerSessions,
): BrokerState {
  const { wantShutDown } = request
  const wantFence = request.wantFence || hasNoDirectory(broker, request)
  if (broker.fenced) {
    if (wantShutDown) return 'may-stop'
    return !wantFence && isCaughtUp(broker, request, sessions) ? 'active' : 'fenced'
  }
  if (broker.inControlledShutdown)
    return mayStop(context, broker, sessions) ? 'may-stop' : 'controlled-shutdown'
  if (wantFence) return wantShutDown ? 'may-stop' : 'fenced'
  if (!wantShutDown) return 'active'
  return leadsNothing(context, broker) ? 'may-stop' : 'controlled-shutdown'
}

/** Clients of the active brokers must be sent to the new leaders before this one is gone. */
function mayStop(context: DecisionContext, broker: BrokerRegistration, sessions: BrokerSessions): boolean {
  const movedAt = sessions.controlledShutdownOffset(broker.id)
  if (!leadsNothing(context, broker) || movedAt === null) return false
  return sessions.lowestActiveOffset(context.image) >= movedAt
}

function leadsNothing({ image }: DecisionContext, broker: BrokerRegistration): boolean {
  return !image.index.leaderCounts.has(broker.id)
}

function recordsFor(
  context: DecisionContext,
  broker: BrokerRegistration,
  next: BrokerState,
): readonly MetadataRecord[] {
  switch (next) {
    case 'active':
      return broker.fenced ? unfenceBroker(context, broker) : []
    case 'fenced':
      return broker.fenced ? [] : fenceBroker(context, broker)
    case 'controlled-shutdown':
      return startControlledShutdown(context, broker)
    case 'may-stop':
      return broker.fenced ? [] : fenceBroker(context, broker)
  }
}
