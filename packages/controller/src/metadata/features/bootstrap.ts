/** The first records of a new cluster, written by its first active controller. */
import { MIN_INSYNC_REPLICAS } from '../configs/effective.ts'
import type { DecisionContext } from '../decision.ts'
import type { MetadataRecord } from '../records.ts'
import { bootstrapFeatures } from './supported-features.ts'

/**
 * Features, and the cluster-wide `min.insync.replicas`: with eligible leader replicas all controllers must
 * judge by the same number, hence it is in the log rather than in each controller's file (KIP-966). Nothing
 * for a cluster that has them.
 */
export function bootstrapRecords({ image, settings }: DecisionContext): MetadataRecord[] {
  if (image.features.size > 0) return []
  const value = String(settings.config.minInsyncReplicas)
  return [
    ...bootstrapFeatures(),
    { kind: 'config', resourceType: 4, resourceName: '', name: MIN_INSYNC_REPLICAS, value },
  ]
}
