/** Feature levels this version can work with, and those a new cluster starts at. */
import type { FeatureLevelRecord, SupportedFeature } from '../records.ts'

/**
 * 4.3: the level that clients and tools are told. Lower levels describe records that were never written here.
 */
export const METADATA_VERSION = 30

export const ELIGIBLE_LEADER_REPLICAS = 'eligible.leader.replicas.version'

/** Every feature that may be finalized, with the levels that are implemented. */
export const supportedFeatures: readonly SupportedFeature[] = [
  { name: 'metadata.version', min: METADATA_VERSION, max: METADATA_VERSION },
  { name: 'kraft.version', min: 0, max: 0 },
  { name: 'transaction.version', min: 0, max: 0 },
  { name: 'group.version', min: 0, max: 0 },
  { name: ELIGIBLE_LEADER_REPLICAS, min: 0, max: 1 },
  { name: 'share.version', min: 0, max: 0 },
  { name: 'streams.version', min: 0, max: 0 },
]

/** Levels above 0 of a new cluster; a feature that is not finalized has level 0. */
export function bootstrapFeatures(): FeatureLevelRecord[] {
  return supportedFeatures
    .filter(({ max }) => max > 0)
    .map(({ name, max }) => ({ kind: 'feature-level', name, level: max }))
}
