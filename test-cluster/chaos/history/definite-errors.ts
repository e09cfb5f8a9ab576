/**
 * Errors after which a write certainly did not happen. Everything else is unknown: NOT_LEADER_OR_FOLLOWER for one may be the answer
 * to a batch that was appended and waits for its replicas.
 */
const DEFINITE = new Set([
  'NOT_ENOUGH_REPLICAS', 'MESSAGE_TOO_LARGE', 'INVALID_RECORD', 'CORRUPT_MESSAGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED', 'TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED', 'GROUP_AUTHORIZATION_FAILED', 'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID', 'NOT_CONNECTED',
])

export function isDefinite(error: string): boolean {
  return DEFINITE.has(error)
}
