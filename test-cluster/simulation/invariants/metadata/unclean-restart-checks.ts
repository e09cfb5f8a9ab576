/** C7: a broker that did not stop cleanly counts for nothing, in sync or eligible, until its leader has taken it back. */
import type { MetadataImage, PartitionRegistration } from '@kavka/controller'
import type { NodeId } from '@kavka/protocol'
import type { World } from '../../world/world.ts'

const NAME = 'C7 UncleanExclusion'

export class UncleanRestartChecks {
  readonly #world: World
  /** `broker/epoch` of lives that ended with a controlled shutdown, marker and all. */
  readonly #cleanStops = new Set<string>()
  /** By broker: the epoch in the mark of a clean stop that is under way. */
  readonly #marked = new Map<NodeId, number>()
  /** By broker: `topic id/partition` where it has not been taken back yet. */
  readonly #excluded = new Map<NodeId, { readonly atOffset: number; readonly partitions: Set<string> }>()

  constructor(world: World) {
    this.#world = world
  }

  stoppedCleanly(id: NodeId, brokerEpoch: number): void {
    this.#marked.delete(id)
    this.#cleanStops.add(`${id}/${brokerEpoch}`)
  }

  /** The mark of a clean stop was written, and all logs were closed before: what comes after it loses nothing. */
  marked(id: NodeId, brokerEpoch: number): void {
    this.#marked.set(id, brokerEpoch)
  }

  /** The process died. `isMarkThere`: the mark is what the next one will find. */
  died(id: NodeId, isMarkThere: boolean): void {
    const brokerEpoch = this.#marked.get(id)
    this.#marked.delete(id)
    if (brokerEpoch === undefined || !isMarkThere) return
    this.#world.probes.hit('process died behind its clean stop')
    this.stoppedCleanly(id, brokerEpoch)
  }

  /** A new process of that broker is registered, in this very image. */
  registered(image: MetadataImage, id: NodeId, epochBefore: number): void {
    if (this.#cleanStops.has(`${id}/${epochBefore}`)) return
    const excluded = new Set<string>()
    for (const topic of image.topics.byId.values()) {
      for (const { partition, replicas, isr, elr } of topic.partitions) {
        if (!replicas.includes(id)) continue
        excluded.add(`${topic.id}/${partition}`)
        this.#world.judge(NAME, !isr.includes(id) && !elr.includes(id), { broker: id, topic: topic.name, partition, isr: isr.join(), elr: elr.join() })
      }
    }
    this.#excluded.set(id, { atOffset: image.offset, partitions: excluded })
    this.#world.probes.hit('unclean restart registered')
  }

  /** By the entry at `offset`. */
  partitionChanged(topicId: string, now: PartitionRegistration, old: PartitionRegistration, offset: number): void {
    for (const [id, { atOffset, partitions }] of this.#excluded) {
      // Registered by the same entry: what it ends with was judged, and earlier steps are of the life before.
      if (atOffset === offset) continue
      const key = `${topicId}/${now.partition}`
      if (!partitions.has(key) || !(now.isr.includes(id) || now.elr.includes(id))) continue
      partitions.delete(key)
      const isTakenBack = now.isr.includes(id) && now.leader !== null && now.leader === old.leader && now.leaderEpoch === old.leaderEpoch
      // KIP-966: the last known leader is taken back uncleanly, and says so.
      const isLastKnown = now.leader === id && now.leaderRecovery === 'recovering'
      // KIP-455: the step that takes it back may end a reassignment, whose removed replicas make a new leader epoch or leader of it.
      const endsReassignment = now.isr.includes(id) && old.removingReplicas.length > 0 && now.removingReplicas.length === 0
      const details = { broker: id, partition: key, isr: now.isr.join(), elr: now.elr.join(), leader: now.leader, leaderBefore: old.leader }
      this.#world.judge(NAME, isTakenBack || isLastKnown || endsReassignment, details)
    }
  }
}
