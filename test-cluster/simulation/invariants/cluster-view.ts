/** What the checks may look at of the cluster. */
import type { MetadataImage } from '@kavka/controller'
import type { NodeId } from '@kavka/protocol'
import type { SimulatedNode } from '../node/simulated-node.ts'
import type { LeaderAnswerChecks } from './replication/leader-answer-checks.ts'

export interface ClusterView {
  nodes(): Iterable<SimulatedNode>
  node(id: NodeId): SimulatedNode | null
  /** The newest metadata that any node has seen committed. */
  readonly image: MetadataImage
  readonly answers: LeaderAnswerChecks
}
