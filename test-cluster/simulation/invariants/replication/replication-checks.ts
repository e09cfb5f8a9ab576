/** The promises about records: §2.3 (P) and the parts of §2.4 (T, S) that a replica's log shows, judged at the very step that could break them. */
import type { PartitionRegistration } from '@kavka/controller'
import type { NodeId, TopicPartition, Uuid } from '@kavka/protocol'
import { sequenceAfter, ZERO_UUID } from '@kavka/protocol'
import type { MemoryFileSystem } from '@kavka/testkit'
import type { ObservedReplica, ReplicaObserver } from '../../node/observed-logs.ts'
import { batchesOnDisk, isSameBatch, shadowBatchesOf } from '../../node/shadow-log.ts'
import type { ShadowBatch } from '../../node/shadow-log.ts'
import type { SimulatedProcess } from '../../world/process.ts'
import type { World } from '../../world/world.ts'
import type { ClusterView } from '../cluster-view.ts'
import { KeptOnDisk } from './kept-on-disk.ts'
import { LogContentChecks } from '../storage/log-content-checks.ts'
import type { PredicateName } from '../predicates.ts'
import { notWaitedFor } from './quorum-superset.ts'
import type { LeaderIsr } from './quorum-superset.ts'
import { epochCache, filesReachLogStart, nameOf, offsetDensity, producerState, recoveryKeepsSynced, startsInsideSegment } from './replica-checks.ts'
import { Truth } from './truth.ts'
import type { PartitionTruth } from './truth.ts'

interface LeaderKnowledge {
  readonly epochStart: number
  readonly isrState: LeaderIsr
  readonly effectiveMinIsr: number
}

const SEVERAL = 3

export class ReplicationChecks implements Omit<ReplicaObserver, 'shortened' | 'given'> {
  readonly truth = new Truth()
  readonly content: LogContentChecks
  readonly disks: KeptOnDisk
  readonly #world: World
  readonly #cluster: ClusterView
  readonly #withFailedSync = new WeakSet<SimulatedProcess>()

  constructor(world: World, cluster: ClusterView) {
    this.#world = world
    this.content = new LogContentChecks(world)
    this.#cluster = cluster
    this.disks = new KeptOnDisk(cluster, this.content)
  }

  syncFailed(process: SimulatedProcess): void {
    this.#withFailedSync.add(process)
  }

  opened(replica: ObservedReplica): void {
    const { nodeId, topicId, topicPartition, log } = replica
    const remains = this.disks.remainsOf(replica)
    offsetDensity(this.#world, replica, 0)
    this.content.opened({ node: nodeId, topicId, ...topicPartition, logEndOffset: log.logEndOffset, isCorrupt: log.corruption !== null })
    if (topicId !== ZERO_UUID) for (const batch of replica.shadow.batches) this.content.found(nodeId, topicId, topicPartition.partition, batch)
    if (log.corruption !== null) return this.#world.probes.hit('corruption found')
    if (this.disks.isRotten(replica)) return
    if (remains !== null && !this.disks.isDamaged(nodeId)) {
      replica.shadow.keptEnd = Math.min(remains.durableEnd, log.logEndOffset)
      recoveryKeepsSynced(this.#world, replica, remains)
    }
    producerState(this.#world, replica)
    const truth = this.#truthOf(replica)
    const registration = this.#registrationOf(truth)
    if (registration !== null) this.#candidate(truth, registration, replica)
  }

  /** S9, of what a start could not judge yet. */
  named({ nodeId, topicId, topicPartition, shadow }: ObservedReplica): void {
    for (const batch of shadow.batches) this.content.found(nodeId, topicId, topicPartition.partition, batch)
  }

  /** What is deleted on purpose is owed no more: the same replica may come back one day, and begins with nothing. */
  forgotten(replica: ObservedReplica): void {
    this.disks.forgotten(replica)
    this.content.forgotten(replica.nodeId, replica.topicId, replica.topicPartition.partition)
  }

  appending({ topicId, topicPartition }: ObservedReplica, records: Buffer): void {
    for (const { crc } of shadowBatchesOf(records)) this.content.appending(topicId, topicPartition.partition, crc)
  }

  appended(replica: ObservedReplica, from: number, by: 'leader' | 'follower'): void {
    offsetDensity(this.#world, replica, from)
    if (by === 'follower') {
      filesReachLogStart(this.#world, replica)
      this.#divergenceReported(replica, from)
    }
    if (replica.log.segmentCount > 1) this.#world.probes.hit('segment rolled')
  }

  duplicate(): void {
    this.#world.probes.hit('duplicate batch answered')
  }

  truncating(replica: ObservedReplica, endOffset: number, kind: 'cut' | 'start-over'): void {
    const truth = this.#truthOf(replica)
    const { nodeId, shadow, log } = replica
    this.#world.probes.hit(kind === 'cut' ? 'follower truncated' : 'follower started over')
    if (kind === 'start-over' && this.disks.emptied(replica)) this.#world.probes.hit('rotten replica emptied')
    if (log.corruption !== null && kind === 'start-over') {
      // Behind all that is committed, as where retention has left nothing: nobody misses anything in a leader that begins there.
      const isMissed = endOffset < truth.committedEnd
      return this.content.emptying(nodeId, nameOf(replica), isMissed && this.#isCandidate(truth, nodeId))
    }
    // Who begins anew behind what was deleted has never heard of its producers.
    if (kind === 'start-over') truth.retainedFrom = Math.max(truth.retainedFrom, endOffset)
    if (this.disks.isDamaged(nodeId)) return
    const lost = shadow.batches.filter(({ last }) => last >= endOffset)
    if (kind === 'cut' && lost.length >= SEVERAL) this.#world.probes.hit('several batches cut')
    if (kind === 'cut' && lost.length > 0 && startsInsideSegment(replica)) this.#world.probes.hit('cut behind a moved log start')
    const details = { node: nodeId, partition: nameOf(replica), endOffset, committedEnd: truth.committedEnd, kind }
    const isCandidate = this.#isCandidate(truth, nodeId)
    this.#world.judge('P10 TruncationSafety', !isCandidate || endOffset >= truth.committedEnd || lost.length === 0, details)
    // A cut by epochs never takes what is committed and the same here, in sync or not.
    if (kind === 'cut') this.#world.judge('P10 TruncationSafety', !lost.some((batch) => isSameBatch(batch, truth.byBase.get(batch.base))), details)
  }

  truncated(replica: ObservedReplica): void {
    if (replica.log.corruption === null && !this.disks.isRotten(replica)) producerState(this.#world, replica)
  }

  highWatermark(replica: ObservedReplica, highWatermark: number): void {
    const { nodeId, topicPartition, topicId } = replica
    const truth = this.#truthOf(replica)
    const view = this.#cluster.node(nodeId)?.replicas?.partition(topicPartition) ?? null
    const isLeader = view !== null && view.topicId === topicId && view.role === 'leader'
    if (highWatermark > truth.committedEnd) {
      this.#world.judge('P16 HighWatermarkIsCommitted', isLeader, { node: nodeId, partition: nameOf(replica), highWatermark, committedEnd: truth.committedEnd })
      if (isLeader) this.#enoughInSync(replica, view)
      this.#extend(replica, truth, highWatermark)
    }
    this.#verify('P5 LogMatching', replica, truth, Math.min(highWatermark, truth.committedEnd))
  }

  /** P4: below the minimum nothing is committed, whoever asked for it, or who is eligible would lack it (KIP-966). */
  #enoughInSync(replica: ObservedReplica, view: object): void {
    const known = stateOf(view)
    if (known === null) return
    const { isrState: { isr }, effectiveMinIsr } = known
    this.#world.judge('P4 MinIsrCommits', isr.length >= effectiveMinIsr, { node: replica.nodeId, partition: nameOf(replica), isr: isr.join(), minIsr: effectiveMinIsr })
  }

  logStart(replica: ObservedReplica, logStart: number): void {
    const truth = this.#truthOf(replica)
    this.#world.judge('P17 LogStart', logStart <= truth.committedEnd, { node: replica.nodeId, logStart, committedEnd: truth.committedEnd })
    if (logStart > truth.logStart) {
      truth.logStart = logStart
      this.#world.probes.hit('log start moved')
    }
  }

  segmentsDeleted(replica: ObservedReplica): void {
    const truth = this.#truthOf(replica)
    const { nodeId, log } = replica
    this.#world.judge('P17 LogStart', log.logStartOffset <= truth.committedEnd, { node: nodeId, logStart: log.logStartOffset, committedEnd: truth.committedEnd })
    truth.retainedFrom = Math.max(truth.retainedFrom, log.logStartOffset)
    this.#world.probes.hit('old segments deleted')
  }

  /** P2 and P3 after each step of the metadata. */
  partitionChanged(topicId: Uuid, topic: string, registration: PartitionRegistration, before: PartitionRegistration | undefined): void {
    const truth = this.truth.of(topicId, topic, registration.partition)
    this.#candidates(truth, registration)
    if (before?.leaderEpoch !== registration.leaderEpoch) return
    const leader = this.#leaderOf(truth, registration)
    if (leader === null) return
    this.#joiners(truth, registration, before.isr, leader.epochStart)
    const missing = notWaitedFor(leader.isrState, { isr: registration.isr, minIsr: truth.minIsr })
    const details = { partition: `${topic}-${registration.partition}`, isr: registration.isr.join(), known: leader.isrState, missing }
    this.#world.judge('P4 QuorumSuperset', missing.length === 0, details)
  }

  /** What its leader knows, if it runs and knows that it leads. */
  #leaderOf(truth: PartitionTruth, { leader, leaderEpoch }: PartitionRegistration): LeaderKnowledge | null {
    const view = leader === null ? null : this.#cluster.node(leader)?.replicas?.partition({ topic: truth.topic, partition: truth.partition }) ?? null
    if (view?.role !== 'leader' || view.leaderEpoch !== leaderEpoch || view.topicId !== truth.topicId) return null
    return stateOf(view)
  }

  /** P4: who joins has at least what the leader had when its epoch began (KIP-320 rule 4). */
  #joiners(truth: PartitionTruth, { isr, leader }: PartitionRegistration, isrBefore: readonly NodeId[], epochStart: number): void {
    const topicPartition = { topic: truth.topic, partition: truth.partition }
    for (const id of isr) {
      const replica = isrBefore.includes(id) ? null : this.#cluster.node(id)?.logs?.replica(topicPartition) ?? null
      if (replica === null || replica.topicId !== truth.topicId || this.disks.isDamaged(id)) continue
      const details = { node: id, leader, partition: nameOf(replica), end: replica.log.logEndOffset, epochStart }
      this.#world.judge('P4 JoinerHasEpochStart', replica.log.logEndOffset >= epochStart, details)
    }
  }

  /** P9, at the moment and in the process of the answer. */
  acknowledged(nodeId: NodeId, topicPartition: TopicPartition, topicId: Uuid, batch: { base: number; crc: number; count: number }): void {
    const truth = this.truth.of(topicId, topicPartition.topic, topicPartition.partition)
    if (truth.isDeleted) return
    const process = this.#cluster.node(nodeId)?.process
    // A sync that failed once says nothing when it is tried again: the process has to end.
    this.#world.judge('S5 NoAckAfterFailedSync', process === undefined || !this.#withFailedSync.has(process), { node: nodeId, base: batch.base })
    const committed = truth.byBase.get(batch.base)
    const details = { node: nodeId, partition: `${topicPartition.topic}-${topicPartition.partition}`, ...batch, committed: committed?.crc ?? null }
    this.#world.judge('P9 AckRule', committed !== undefined && committed.crc === batch.crc, details)
    if (committed === undefined) return
    // A producer that asks again is told again, whatever became of the disks since.
    if (committed.last >= truth.ackedEnd) this.#judgeHolders(truth, committed, nodeId, details)
    truth.ackedEnd = Math.max(truth.ackedEnd, committed.last + 1)
    truth.exposedEnd = Math.max(truth.exposedEnd, committed.last + 1)
    truth.acked.push({ base: batch.base, last: committed.last, crc: batch.crc })
  }

  #judgeHolders(truth: PartitionTruth, committed: ShadowBatch, leader: NodeId, details: Readonly<Record<string, unknown>>): void {
    const wanted = Math.min(truth.minIsr, this.#registrationOf(truth)?.replicas.length ?? 1)
    const holders = this.#holdersOf(truth, committed, wanted, leader)
    this.#world.judge('P9 AckRule', holders >= wanted, { ...details, holders, minIsr: truth.minIsr })
  }

  /** P7 and S1: what a consumer got is the committed truth. */
  consumed(topicPartition: TopicPartition, topicId: Uuid, batches: readonly ShadowBatch[], nodeId: NodeId): void {
    const truth = this.truth.of(topicId, topicPartition.topic, topicPartition.partition)
    for (const batch of batches) {
      this.content.found(nodeId, topicId, topicPartition.partition, batch)
      const details = { node: nodeId, partition: `${topicPartition.topic}-${topicPartition.partition}`, base: batch.base, last: batch.last, committedEnd: truth.committedEnd }
      this.#world.judge('P7 ConsistentRead', isSameBatch(batch, truth.byBase.get(batch.base)), details)
    }
  }

  /** P8: an end that the leader of the newest metadata told a client. */
  endExposed(nodeId: NodeId, topicPartition: TopicPartition, topicId: Uuid, end: number): void {
    const truth = this.truth.of(topicId, topicPartition.topic, topicPartition.partition)
    const registration = this.#registrationOf(truth)
    const view = this.#cluster.node(nodeId)?.replicas?.partition(topicPartition) ?? null
    if (registration?.leader !== nodeId || view?.leaderEpoch !== registration.leaderEpoch) return
    this.#cluster.answers.endTold({ node: nodeId, partition: `${topicPartition.topic}-${topicPartition.partition}` }, end, truth.exposedEnd)
    truth.exposedEnd = Math.max(truth.exposedEnd, end)
  }

  /** When all is well again: nothing acknowledged is lost, replicas are the same, what is derived from logs can be derived again. */
  atQuiescence(): void {
    for (const truth of this.truth.all()) {
      const registration = this.#registrationOf(truth)
      if (truth.isDeleted || registration === null) continue
      for (const acked of truth.acked) {
        this.#world.judge('P6 NoCommittedLoss', truth.byBase.get(acked.base)?.crc === acked.crc, { partition: `${truth.topic}-${truth.partition}`, ...acked })
      }
      for (const id of registration.isr) {
        const replica = this.#cluster.node(id)?.logs?.replica({ topic: truth.topic, partition: truth.partition }) ?? null
        const isThere = replica !== null && replica.topicId === truth.topicId
        this.#world.judge('P6 NoCommittedLoss', isThere, { node: id, partition: `${truth.topic}-${truth.partition}` })
        if (replica === null) continue
        replica.shadow.verified = 0
        this.#verify('K-DISK ReplicasIdentical', replica, truth, truth.committedEnd)
        epochCache(this.#world, replica, truth.logStart)
        producerState(this.#world, replica)
      }
    }
  }

  /** S9: its files hold what its partition took in, and nothing else; once all is still. */
  onDisk(replica: ObservedReplica, disk: MemoryFileSystem): void {
    const { nodeId, topicId, topicPartition, log } = replica
    if (this.disks.isRotten(replica)) return
    for (const batch of batchesOnDisk(disk, log.directory, shadowBatchesOf)) this.content.found(nodeId, topicId, topicPartition.partition, batch)
  }

  #extend(replica: ObservedReplica, truth: PartitionTruth, highWatermark: number): void {
    const { shadow, nodeId } = replica
    const where = { node: nodeId, partition: nameOf(replica) }
    for (const batch of shadow.batches.slice(firstAtOrAbove(shadow.batches, truth.committedEnd))) {
      if (batch.last >= highWatermark) break
      this.#world.judge('P1 StrongIsr', batch.base === truth.committedEnd, { ...where, base: batch.base, committedEnd: truth.committedEnd })
      this.#sequence(truth, batch)
      truth.commit(batch)
    }
    this.#world.judge('P1 StrongIsr', truth.committedEnd === highWatermark, { ...where, highWatermark, committedEnd: truth.committedEnd })
    const registration = this.#registrationOf(truth)
    if (registration !== null) this.#candidates(truth, registration)
  }

  /** T1: once, and without a gap. */
  #sequence(truth: PartitionTruth, batch: ShadowBatch): void {
    if (batch.producerId < 0) return
    const known = truth.producers.get(batch.producerId)
    const next = known === undefined || known.epoch < batch.producerEpoch ? 0 : sequenceAfter(known.lastSequence, 1)
    const details = { partition: `${truth.topic}-${truth.partition}`, base: batch.base, producer: batch.producerId, sequence: batch.baseSequence, last: known?.lastSequence ?? null }
    // Who fills an empty log from a leader that has deleted all of a producer has never heard of it, as in Kafka.
    const isForgotten = known !== undefined && known.lastOffset < truth.retainedFrom
    const isNewest = (known?.epoch ?? 0) <= batch.producerEpoch
    this.#world.judge('T3 ProducerEpochMonotone', isNewest || isForgotten, {
      ...details, epoch: batch.producerEpoch, before: known?.epoch ?? null,
    })
    this.#world.judge('T1 SequenceContiguous', batch.baseSequence === next || isForgotten, details)
    const lastSequence = sequenceAfter(batch.baseSequence, batch.count - 1)
    truth.producers.set(batch.producerId, { epoch: batch.producerEpoch, lastSequence, lastOffset: batch.last })
  }

  #verify(name: PredicateName, replica: ObservedReplica, truth: PartitionTruth, end: number): void {
    const { shadow } = replica
    while (shadow.verified < shadow.batches.length && shadow.batches[shadow.verified]!.last < end) {
      const batch = shadow.batches[shadow.verified]!
      const details = { node: replica.nodeId, partition: nameOf(replica), base: batch.base, epoch: batch.epoch, end }
      this.#world.judge(name, isSameBatch(batch, truth.byBase.get(batch.base)), details)
      shadow.verified++
    }
  }

  #candidates(truth: PartitionTruth, registration: PartitionRegistration): void {
    for (const id of [...registration.isr, ...registration.elr]) {
      const replica = this.#cluster.node(id)?.logs?.replica({ topic: truth.topic, partition: truth.partition }) ?? null
      if (replica !== null) this.#candidate(truth, registration, replica)
    }
  }

  /** P2 and P3: whoever may lead has everything that is committed. */
  #candidate(truth: PartitionTruth, { isr, elr, leader }: PartitionRegistration, replica: ObservedReplica): void {
    const { nodeId, shadow, topicId, log } = replica
    if (topicId !== truth.topicId || !(isr.includes(nodeId) || elr.includes(nodeId)) || this.disks.isDamaged(nodeId) || this.disks.isRotten(replica)) return
    const name = leader === nodeId ? 'P2 LeaderCompleteness' : 'P3 CandidateCompleteness'
    const end = Math.max(shadow.end, log.logEndOffset)
    const details = { node: nodeId, partition: nameOf(replica), end, committedEnd: truth.committedEnd, isr: isr.join(), elr: elr.join() }
    this.#world.judge(name, end >= truth.committedEnd, details)
    this.#verify(name, replica, truth, truth.committedEnd)
  }

  #isCandidate(truth: PartitionTruth, id: NodeId): boolean {
    const registration = this.#registrationOf(truth)
    return registration !== null && (registration.isr.includes(id) || registration.elr.includes(id))
  }

  /** P15: what a follower appends continues a prefix of its leader's log. */
  #divergenceReported(replica: ObservedReplica, from: number): void {
    const { nodeId, shadow, topicPartition } = replica
    const view = this.#cluster.node(nodeId)?.replicas?.partition(topicPartition) ?? null
    if (view === null || view.leaderId === null || shadow.batches.length === from) return
    const leader = this.#cluster.node(view.leaderId)
    const leaderView = leader?.replicas?.partition(topicPartition) ?? null
    if (leaderView?.role !== 'leader' || leaderView.leaderEpoch !== view.leaderEpoch || leaderView.topicId !== replica.topicId) return
    const theirs = leader!.logs!.replica(topicPartition)!.shadow
    for (const at of [from - 1, from]) {
      const batch = shadow.batches[at]
      if (batch === undefined || batch.base < (theirs.batches[0]?.base ?? 0)) continue
      const same = theirs.batches[theirs.indexOf(batch.base)]
      this.#world.judge('P15 DivergenceReported', isSameBatch(batch, same), { node: nodeId, leader: view.leaderId, partition: nameOf(replica), base: batch.base })
    }
  }

  #holdersOf(truth: PartitionTruth, batch: ShadowBatch, wanted: number, leader: NodeId): number {
    const holders = new Set<NodeId>()
    for (const { id, logs } of this.#cluster.nodes()) {
      const replica = logs?.replica({ topic: truth.topic, partition: truth.partition }) ?? null
      if (replica === null || replica.topicId !== truth.topicId || replica.log.durableEndOffset <= batch.last) continue
      // Deleted by retention since it was committed: by a clock that is ahead, before it is acknowledged.
      const isRetained = batch.last >= Math.min(replica.log.logStartOffset, truth.retainedFrom)
      if (!isRetained || isSameBatch(replica.shadow.batches[replica.shadow.indexOf(batch.base)], batch)) holders.add(id)
    }
    if (holders.size < wanted) for (const id of this.disks.keptBefore(truth, batch)) holders.add(id)
    if (holders.size < wanted) for (const id of this.#takenAway(truth, batch, leader)) holders.add(id)
    return holders.size
  }

  /** Removed from the partition, and what they had deleted with that, while their acknowledgment was on its way to a leader that had not heard of it. */
  #takenAway(truth: PartitionTruth, batch: ShadowBatch, leader: NodeId): NodeId[] {
    const view = this.#cluster.node(leader)?.replicas?.partition({ topic: truth.topic, partition: truth.partition }) ?? null
    const isr = (view === null ? null : stateOf(view))?.isrState.isr ?? []
    return [...this.disks.leftWith(truth, batch)].filter((id) => isr.includes(id))
  }

  #truthOf({ topicId, topicPartition }: ObservedReplica): PartitionTruth {
    return this.truth.of(topicId, topicPartition.topic, topicPartition.partition)
  }

  #registrationOf(truth: PartitionTruth): PartitionRegistration | null {
    return this.#cluster.image.topics.byId.get(truth.topicId)?.partitions[truth.partition] ?? null
  }
}

/** The interface does not show it; a class that keeps it elsewhere is noticed by the planted bugs that this finds. */
function stateOf(view: object): LeaderKnowledge | null {
  return (view as { leaderState?: LeaderKnowledge | null }).leaderState ?? null
}

function firstAtOrAbove(batches: readonly ShadowBatch[], offset: number): number {
  let at = batches.length
  while (at > 0 && batches[at - 1]!.last >= offset) at--
  return at
}
