/** Settings of the group coordinator; names of the configuration keys in camel case. */
export interface GroupOptions {
  readonly groupMinSessionTimeoutMs: number
  readonly groupMaxSessionTimeoutMs: number
  readonly groupInitialRebalanceDelayMs: number
  readonly groupMaxSize: number
  readonly offsetMetadataMaxBytes: number
  readonly offsetsRetentionMinutes: number
  readonly offsetsRetentionCheckIntervalMs: number
}

/** Kafka's defaults. */
export const defaultGroupOptions: GroupOptions = {
  groupMinSessionTimeoutMs: 6_000,
  groupMaxSessionTimeoutMs: 1_800_000,
  groupInitialRebalanceDelayMs: 3_000,
  groupMaxSize: 2 ** 31 - 1,
  offsetMetadataMaxBytes: 4_096,
  offsetsRetentionMinutes: 10_080,
  offsetsRetentionCheckIntervalMs: 600_000,
}

/**
 * A new member has no id yet and so cannot send heartbeats while its first JoinGroup is parked; after this
 * long it is dropped and, when it is still there, joins again. Fixed in Kafka too
 * (`NEW_MEMBER_JOIN_TIMEOUT_MS`).
 */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 300_000
