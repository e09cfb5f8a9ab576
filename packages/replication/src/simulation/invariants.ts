/** The named promises of replication (reliability, section 2.3), checked on the whole cluster after every event. */
import { AssertionError } from '@kavka/kernel'
import type { NodeId, TopicPartition } from '@kavka/protocol'
import { TOPIC } from './model-controller.ts'
import type { ModelController } from './model-controller.ts'
import type { LogObserver, LogRemains, MemoryPartitionLog } from './memory-partition-log.ts'
import type { ModelBatch } from './model-batch.ts'
import type { SimulatedBroker } from './simulated-broker.ts'

export interface AckedRecord {
  readonly partition: number
  readonly offset: number
  readonly value: number
}

interface Truth {
  readonly committed: ModelBatch[]
  committedEnd: number
  /** Largest offset that a client was told is the end. */
  exposedEnd: number
}

export interface InvariantsOptions {
  readonly partitionCount: number
  readonly minIsr: number
}

export interface InvariantsDependencies {
  readonly controller: ModelController
  readonly brokers: () => Iterable<SimulatedBroker>
  /** Disks of brokers that are down. */
  readonly remains: (partition: number) => Iterable<LogRemains>
}

export class Invariants implements LogObserver {
  readonly #options: InvariantsOptions
  readonly #dependencies: InvariantsDependencies
  readonly #truths: Truth[]
  readonly #acked: AckedRecord[] = []
  /** How often each predicate had something to judge: a check that never fires proves nothing. */
  readonly judged: Record<string, number> = {}

  constructor(options: InvariantsOptions, dependencies: InvariantsDependencies) {
    this.#options = options
    this.#dependencies = dependencies
    this.#truths = Array.from({ length: options.partitionCount }, () => ({
      committed: [],
      committedEnd: 0,
      exposedEnd: 0,
    }))
  }

  get ackedCount(): number {
    return this.#acked.length
  }

  committedEnd(partition: number): number {
    return this.#truths[partition]!.committedEnd
  }

  checkAll(): void {
    for (let partition = 0; partition < this.#options.partitionCount; partition++) {
      const truth = this.#truths[partition]!
      const logs = this.#logs(partition)
      for (const { broker, log } of logs) this.#extendTruth(partition, truth, broker, log)
      for (const { broker, log } of logs) {
        this.#logMatching(partition, truth, broker, log)
        this.#offsetDensity(log)
        this.#divergenceReported(partition, broker, log)
      }
      this.#candidatesComplete(partition, truth)
      this.#superset(partition)
    }
  }

  /** P10: nobody in sync gives up what is committed. */
  truncated(log: MemoryPartitionLog, to: number): void {
    const { partition } = log.topicPartition
    const owner = this.#logs(partition).find((entry) => entry.log === log)
    if (owner === undefined) return
    const isInSync = this.#dependencies.controller.partition(partition).isr.includes(owner.broker.id)
    this.#judge('P10 TruncationSafety', !isInSync || to >= this.#truths[partition]!.committedEnd, {
      broker: owner.broker.id,
      to,
      committedEnd: this.#truths[partition]!.committedEnd,
    })
  }

  /** P9: at the moment of the answer. */
  acknowledged(broker: SimulatedBroker, record: AckedRecord): void {
    this.checkAll()
    this.#acked.push(record)
    const { partition, offset } = record
    const view = broker.manager.partition(topicPartition(partition))
    this.#judge('P9 AckRule', view !== null && view.highWatermark > offset, { broker: broker.id, offset })
    const holders = [...this.#disks(partition)].filter((batches) => batches.some((batch) => holds(batch, record)))
    this.#judge('P9 AckRule', holders.length >= this.#options.minIsr, { ...record, holders: holders.length })
    const committed = this.#truths[partition]!.committed.find((batch) => batch.baseOffset === offset)
    this.#judge('P12 LeaderEpochFencing', committed?.value === record.value, { ...record, committed: committed?.value })
  }

  /** P6: every acknowledged record is on some disk, and did not rot there, even if its broker is down. */
  nothingAckedIsLost(): void {
    for (let partition = 0; partition < this.#options.partitionCount; partition++) {
      const onDisk = new Set<string>()
      for (const batches of this.#soundDisks(partition)) for (const batch of batches) onDisk.add(keyOf(batch.baseOffset, batch.value))
      for (const record of this.#acked) {
        if (record.partition !== partition) continue
        this.#judge('P6 NoCommittedLossGlobally', onDisk.has(keyOf(record.offset, record.value)), { ...record })
      }
    }
  }

  /** P8: told by the broker that the controller holds for the leader, in its epoch. */
  endExposed(broker: SimulatedBroker, partition: number, end: number): void {
    const { leader, leaderEpoch } = this.#dependencies.controller.partition(partition)
    const view = broker.manager.partition(topicPartition(partition))
    if (leader !== broker.id || view?.role !== 'leader' || view.leaderEpoch !== leaderEpoch) return
    const truth = this.#truths[partition]!
    this.#judge('P8 AppliedHWMonotonic', end >= truth.exposedEnd, { broker: broker.id, end, before: truth.exposedEnd })
    truth.exposedEnd = Math.max(truth.exposedEnd, end)
  }

  /** P7: what a consumer once read at an offset stays there; all reads must be of the committed truth. */
  consumed(partition: number, batches: readonly ModelBatch[]): void {
    this.checkAll()
    const { committed } = this.#truths[partition]!
    for (const batch of batches) {
      const known = committed.find(({ baseOffset }) => baseOffset === batch.baseOffset)
      this.#judge('P7 ConsistentRead', known?.value === batch.value, { at: batch.baseOffset, value: batch.value })
    }
  }

  expect(name: string, holds: boolean, details: Record<string, unknown>): void {
    this.#judge(name, holds, details)
  }

  /** P1 and P5: a high watermark of a leader declares everything below it committed; two leaders must never declare different things. */
  #extendTruth(partition: number, truth: Truth, broker: SimulatedBroker, log: MemoryPartitionLog): void {
    const view = broker.manager.partition(topicPartition(partition))
    if (view?.role !== 'leader' || view.highWatermark <= truth.committedEnd) return
    this.#judge('P9 AckRule', view.isr.length >= this.#options.minIsr, { broker: broker.id, isr: view.isr.join() })
    for (const batch of log.batches) {
      if (batch.baseOffset < truth.committedEnd || batch.lastOffset >= view.highWatermark) continue
      this.#judge('P1 StrongIsr', batch.baseOffset === truth.committedEnd, { broker: broker.id, at: batch.baseOffset })
      truth.committed.push(batch)
      truth.committedEnd = batch.lastOffset + 1
    }
  }

  #logMatching(partition: number, truth: Truth, broker: SimulatedBroker, log: MemoryPartitionLog): void {
    const view = broker.manager.partition(topicPartition(partition))
    const end = Math.min(view?.highWatermark ?? 0, truth.committedEnd)
    this.#judge('P5 LogMatching', agrees(log.batches, truth.committed, end), { broker: broker.id, end })
  }

  #offsetDensity(log: MemoryPartitionLog): void {
    let next: number = log.logStartOffset
    let isDense = true
    for (const batch of log.batches) {
      isDense &&= batch.baseOffset === next
      next = batch.lastOffset + 1
    }
    this.#judge('P13 OffsetDensity', isDense && next === log.logEndOffset, { end: log.logEndOffset, next })
  }

  /** P15: a follower that fetches has a prefix of its leader's log. */
  #divergenceReported(partition: number, broker: SimulatedBroker, log: MemoryPartitionLog): void {
    const view = broker.manager.partition(topicPartition(partition))
    const last = log.batches.at(-1)
    if (view?.role !== 'follower' || last === undefined || !isFetching(view)) return
    for (const other of this.#dependencies.brokers()) {
      const leader = other.manager.partition(topicPartition(partition))
      if (leader?.role !== 'leader' || leader.leaderEpoch !== view.leaderEpoch) continue
      const same = other.store.get(topicPartition(partition))!.batches.find(({ baseOffset }) => baseOffset === last.baseOffset)
      this.#judge('P15 DivergenceReported', same?.value === last.value && same.epoch === last.epoch, {
        follower: broker.id,
        leader: other.id,
        at: last.baseOffset,
      })
    }
  }

  /** P2 and P3: whoever may be elected has everything committed. */
  #candidatesComplete(partition: number, truth: Truth): void {
    const { isr, leader } = this.#dependencies.controller.partition(partition)
    for (const { broker, log } of this.#logs(partition)) {
      if (!isr.includes(broker.id)) continue
      const isComplete = log.logEndOffset >= truth.committedEnd && agrees(log.batches, truth.committed, truth.committedEnd)
      this.#judge(broker.id === leader ? 'P2 LeaderCompleteness' : 'P3 LeaderCandidateCompleteness', isComplete, {
        broker: broker.id,
        end: log.logEndOffset,
        committedEnd: truth.committedEnd,
      })
    }
  }

  /** P4: a leader that is not stale counts on everybody whom the controller might elect. */
  #superset(partition: number): void {
    const registration = this.#dependencies.controller.partition(partition)
    for (const broker of this.#dependencies.brokers()) {
      const hosted = broker.manager.partition(topicPartition(partition)) as PartitionWithState | null
      const state = hosted?.leaderState ?? null
      if (broker.id !== registration.leader || state?.leaderEpoch !== registration.leaderEpoch) continue
      if (state.isUnderMinIsr) continue
      const counted = (id: NodeId): boolean => state.isr.includes(id) || state.pendingProposal?.isr.some((m) => m.brokerId === id) === true
      this.#judge('P4 ReplicationQuorumSuperset', registration.isr.every(counted), {
        broker: broker.id,
        isr: registration.isr.join(),
        leaders: state.isr.join(),
      })
    }
  }

  #logs(partition: number): { readonly broker: SimulatedBroker; readonly log: MemoryPartitionLog }[] {
    const logs = []
    for (const broker of this.#dependencies.brokers()) {
      const log = broker.store.get(topicPartition(partition))
      if (log !== null && broker.isAlive) logs.push({ broker, log })
    }
    return logs
  }

  *#disks(partition: number): Iterable<readonly ModelBatch[]> {
    for (const broker of this.#dependencies.brokers()) yield broker.store.durableBatches(topicPartition(partition))
    for (const remains of this.#dependencies.remains(partition)) yield remains.batches
  }

  *#soundDisks(partition: number): Iterable<readonly ModelBatch[]> {
    for (const broker of this.#dependencies.brokers()) yield broker.store.soundBatches(topicPartition(partition))
    for (const { batches, rotten } of this.#dependencies.remains(partition)) yield batches.filter((batch) => !rotten.has(batch))
  }

  #judge(name: string, holds: boolean, details: Record<string, unknown>): void {
    this.judged[name] = (this.judged[name] ?? 0) + 1
    if (!holds) throw new AssertionError(`${name} is broken:`, details)
  }
}

/** The simulation looks inside; the interface does not show it. */
interface PartitionWithState {
  readonly leaderState: {
    readonly leaderEpoch: number
    readonly isUnderMinIsr: boolean
    readonly isr: readonly NodeId[]
    readonly pendingProposal: { readonly isr: readonly { readonly brokerId: NodeId }[] } | null
  } | null
}

function isFetching(view: unknown): boolean {
  const { current } = view as { current: { kind: string; state: { phase: string } | null } }
  return current.kind === 'follower' && current.state?.phase === 'fetching'
}

function agrees(batches: readonly ModelBatch[], committed: readonly ModelBatch[], end: number): boolean {
  for (let at = 0; at < committed.length && committed[at]!.lastOffset < end; at++) {
    const mine = batches[at]
    const truth = committed[at]!
    if (mine === undefined) return false
    if (mine.baseOffset !== truth.baseOffset || mine.value !== truth.value || mine.epoch !== truth.epoch) return false
  }
  return true
}

function holds(batch: ModelBatch, record: AckedRecord): boolean {
  return batch.baseOffset === record.offset && batch.value === record.value
}

function keyOf(offset: number, value: number): string {
  return `${offset}:${value}`
}

/** The simulated topic's partition of that number. */
export function topicPartition(partition: number): TopicPartition {
  return { topic: TOPIC, partition }
}
