/** What the disks of the run's nodes hold, as far as their own promises go, and which of them the run has damaged. */
import type { NodeId, TopicPartition, Uuid } from '@kavka/protocol'
import type { ObservedReplica } from '../../node/observed-logs.ts'
import { indexOfBatch, isSameBatch } from '../../node/shadow-log.ts'
import type { ShadowBatch } from '../../node/shadow-log.ts'
import type { SimulatedNode } from '../../node/simulated-node.ts'
import type { LogContentChecks } from '../storage/log-content-checks.ts'
import type { ClusterView } from '../cluster-view.ts'
import type { PartitionTruth } from './truth.ts'

/** What a node that is down has on its disk of one partition. */
export interface Remains {
  readonly topicId: Uuid
  readonly topic: string
  readonly partition: number
  readonly durableEnd: number
  readonly batches: readonly ShadowBatch[]
}

export class KeptOnDisk {
  readonly #cluster: ClusterView
  readonly #content: LogContentChecks
  readonly #remains = new Map<NodeId, readonly Remains[]>()
  /** The same before the run damaged a disk: counts for P9, as its last acknowledgments may be on their way to a leader that commits by them. */
  readonly #heldBeforeDamage = new Map<NodeId, readonly Remains[]>()
  /** Of all replicas, also of those that owe nothing: damage that one process knew of the next may have to find anew. */
  readonly #held = new Map<NodeId, readonly Remains[]>()
  /** Nodes whose disk the run has damaged, with the broker epoch they had: they owe nothing until they are registered anew. */
  readonly #damaged = new Map<NodeId, number>()
  readonly #everRotten = new Set<NodeId>()
  /** What replicas had that were deleted. */
  readonly #left: (Remains & { readonly nodeId: NodeId })[] = []
  readonly #rotten = new Set<string>()

  constructor(cluster: ClusterView, content: LogContentChecks) {
    this.#cluster = cluster
    this.#content = content
  }

  /** A batch of that replica rotted on the disk of a running node: until it is emptied its disk owes nothing. */
  replicaRotted(replica: ObservedReplica): void {
    this.#rotten.add(rottenKey(replica))
  }

  /** The log has noticed it, or the run has done it. */
  isRotten(replica: ObservedReplica): boolean {
    return replica.log.corruption !== null || this.#rotten.has(rottenKey(replica))
  }

  /** What lies on its disk is not what it was told to keep. */
  damaged(id: NodeId): void {
    this.#damaged.set(id, this.#cluster.image.brokers.get(id)?.epoch ?? -1)
    const remains = this.#remains.get(id)
    if (remains !== undefined) this.#heldBeforeDamage.set(id, remains)
    this.#remains.delete(id)
  }

  /** Bits have flipped under its logs. `recoveryPoints`: what its disk says is on it, by `topic-partition`. */
  rotted(id: NodeId, recoveryPoints: ReadonlyMap<string, number>): void {
    const promised = (this.#remains.get(id) ?? []).map(({ topicId, topic, partition, durableEnd }) => {
      return { topicId, partition, recordedEnd: Math.min(durableEnd, recoveryPoints.get(`${topic}-${partition}`) ?? 0) }
    })
    this.damaged(id)
    this.#everRotten.add(id)
    this.#content.rotted(id, promised)
  }

  /** Its log was deleted on purpose. */
  forgotten(replica: ObservedReplica): void {
    const { nodeId, topicId, topicPartition, log: { durableEndOffset: durableEnd }, shadow: { batches } } = replica
    this.#left.push({ nodeId, topicId, ...topicPartition, durableEnd, batches })
    for (const remains of [this.#remains, this.#heldBeforeDamage, this.#held]) {
      const kept = remains.get(nodeId)?.filter((one) => one.topicId !== topicId || one.partition !== topicPartition.partition)
      if (kept !== undefined) remains.set(nodeId, kept)
    }
    this.#rotten.delete(rottenKey(replica))
  }

  /** Look-ups that go through the file may stumble over what has rotted there. */
  hasRotten(id: NodeId): boolean {
    return this.#everRotten.has(id)
  }

  /** Nothing is owed by its disk, before it is registered anew. */
  isDamaged(id: NodeId): boolean {
    const epoch = this.#damaged.get(id)
    if (epoch === undefined) return false
    if ((this.#cluster.image.brokers.get(id)?.epoch ?? -1) <= epoch) return true
    this.#damaged.delete(id)
    return false
  }

  /** Whether the run may have taken something from what this node has of a partition, noticed or not. */
  mayLack(id: NodeId, topicPartition: TopicPartition): boolean {
    const replica = this.#cluster.node(id)?.logs?.replica(topicPartition) ?? null
    return this.hasRotten(id) || this.isDamaged(id) || (replica !== null && this.isRotten(replica))
  }

  /** The replica was emptied to be filled again; true when it had rotted. */
  emptied(replica: ObservedReplica): boolean {
    return this.#rotten.delete(rottenKey(replica))
  }

  /** What the node is to find of a replica when it opens its log; null when nothing is known of it. */
  remainsOf({ nodeId, topicId, topicPartition: { topic, partition } }: ObservedReplica): Remains | null {
    // By name too: logs that have lost their id all have the same.
    return this.#remains.get(nodeId)?.find((one) => one.topicId === topicId && one.topic === topic && one.partition === partition) ?? null
  }

  /** What the node held of a partition when it stopped, whole or not: where its files have rotted nothing else tells. */
  before(id: NodeId, { topic, partition }: TopicPartition): readonly ShadowBatch[] {
    return this.#held.get(id)?.find((one) => one.topic === topic && one.partition === partition)?.batches ?? []
  }

  /** Remembers what a node promised to have before it goes. */
  died(node: SimulatedNode): void {
    if (node.logs === null) return
    this.#content.restarted(node.id)
    const remains: Remains[] = []
    const held: Remains[] = []
    for (const replica of node.logs.replicas) {
      const { topicId, topicPartition, log, shadow } = replica
      const durableEnd = Math.min(Math.max(log.durableEndOffset, shadow.keptEnd), shadow.cutFrom)
      held.push({ topicId, topic: topicPartition.topic, partition: topicPartition.partition, durableEnd, batches: [...shadow.batches] })
      if (!this.isRotten(replica)) remains.push(held.at(-1)!)
    }
    this.#held.set(node.id, held)
    this.#remains.set(node.id, remains)
    if (!this.isDamaged(node.id)) this.#heldBeforeDamage.delete(node.id)
  }

  /** Who had it when its log was deleted on purpose. */
  *leftWith(truth: PartitionTruth, batch: ShadowBatch): Iterable<NodeId> {
    for (const { nodeId, topicId, partition, durableEnd, batches } of this.#left) {
      if (topicId !== truth.topicId || partition !== truth.partition || durableEnd <= batch.last) continue
      if (isSameBatch(batches[indexOfBatch(batches, batch.base)], batch)) yield nodeId
    }
  }

  /** What was durable before a process ended is so after it, though its successor has yet to open its logs and to sync what it found. */
  *keptBefore(truth: PartitionTruth, batch: ShadowBatch): Iterable<NodeId> {
    for (const [id, remains] of [...this.#remains, ...this.#heldBeforeDamage]) {
      const disk = remains.find((one) => one.topicId === truth.topicId && one.partition === truth.partition)
      if (disk === undefined || disk.durableEnd <= batch.last || !isSameBatch(disk.batches[indexOfBatch(disk.batches, batch.base)], batch)) continue
      const logs = this.#cluster.node(id)?.logs ?? null
      const replica = logs?.replica({ topic: truth.topic, partition: truth.partition }) ?? null
      const hasItStill = replica !== null && isSameBatch(replica.shadow.batches[replica.shadow.indexOf(batch.base)], batch)
      if (logs === null || hasItStill || this.isDamaged(id)) yield id
    }
  }
}

function rottenKey({ nodeId, topicId, topicPartition }: ObservedReplica): string {
  return `${nodeId}/${topicId}/${topicPartition.partition}`
}
