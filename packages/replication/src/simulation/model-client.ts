/** A client that produces, consumes and asks, one request a step, and hands what it is told to the invariants. */
import type { Random } from '@kavka/kernel'
import { ErrorCode } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { AppendResult, FetchPartitionResult } from '../api.ts'
import { topicPartition } from './invariants.ts'
import type { Invariants } from './invariants.ts'
import { decodeBatches, encodeBatch } from './model-batch.ts'
import type { SimulatedBroker } from './simulated-broker.ts'

export const PARTITIONS = 2
const PRODUCE_TIMEOUT_MS = 3000

export interface ModelClientDependencies {
  readonly random: Random
  readonly invariants: Invariants
  readonly brokerOf: (id: NodeId) => SimulatedBroker | undefined
  /** Runs what may break a promise, and keeps the failure for the driver. */
  readonly guard: (step: () => void) => void
  readonly failed: (cause: unknown) => void
}

export class ModelClient {
  readonly #random: Random
  readonly #invariants: Invariants
  readonly #brokerOf: ModelClientDependencies['brokerOf']
  readonly #guard: ModelClientDependencies['guard']
  readonly #failed: ModelClientDependencies['failed']
  readonly #unanswered = new Map<SimulatedBroker, number>()
  #nextValue = 1

  constructor({ random, invariants, brokerOf, guard, failed }: ModelClientDependencies) {
    this.#random = random
    this.#invariants = invariants
    this.#brokerOf = brokerOf
    this.#guard = guard
    this.#failed = failed
  }

  /** One request to one of the brokers, if it runs. */
  step(brokers: readonly NodeId[], may: 'read' | 'read-and-write'): void {
    const broker = this.#brokerOf(brokers[this.#random.below(brokers.length)]!)
    if (broker === undefined) return
    const partition = this.#random.below(PARTITIONS)
    switch (this.#random.below(5)) {
      case 0:
      case 1:
        if (may === 'read-and-write') this.#produce(this.#believedLeader(broker, partition) ?? broker, partition)
        return
      case 2:
        this.#consume(broker, partition)
        return
      case 3:
        this.#askEnd(broker, partition)
        return
      case 4:
        this.#askInWrongEpoch(broker, partition)
        return
    }
  }

  /** It crashed: it answers nobody. */
  forget(broker: SimulatedBroker): void {
    this.#unanswered.delete(broker)
  }

  /** Whoever lives has answered everything. */
  checkAnswered(): void {
    for (const [broker, unanswered] of this.#unanswered) {
      if (broker.isAlive) this.#invariants.expect('Liveness', unanswered === 0, { broker: broker.id, unanswered })
    }
  }

  #believedLeader(broker: SimulatedBroker, partition: number): SimulatedBroker | undefined {
    const leader = broker.manager.partition(topicPartition(partition))?.leaderId
    return leader === null || leader === undefined ? undefined : this.#brokerOf(leader)
  }

  #produce(broker: SimulatedBroker, partition: number): void {
    const value = this.#nextValue++
    const acks = ([-1, -1, -1, 1, 0] as const)[this.#random.below(5)]!
    const records = encodeBatch(value, 1 + this.#random.below(3))
    const entries = [{ topicPartition: topicPartition(partition), topicId: null, records }]
    const request = { acks, timeoutMs: PRODUCE_TIMEOUT_MS, origin: 'client' as const, entries }
    this.#whenAnswered(broker, broker.manager.append(request), ([result]: readonly AppendResult[]) => {
      if (acks !== -1 || result!.errorCode !== ErrorCode.NONE) return
      this.#invariants.acknowledged(broker, { partition, offset: result!.baseOffset, value })
    })
  }

  #consume(broker: SimulatedBroker, partition: number): void {
    const end = this.#invariants.committedEnd(partition)
    const fetchOffset = end === 0 ? 0 : this.#random.below(end + 1)
    const asked = { topicPartition: topicPartition(partition), topicId: null, fetchOffset, bytesMax: 2 ** 20, currentLeaderEpoch: -1, lastFetchedEpoch: -1 }
    const answered = broker.manager.fetch({ ...consumerFetch, partitions: [asked] })
    this.#whenAnswered(broker, answered, ([result]: readonly FetchPartitionResult[]) => {
      this.#invariants.consumed(partition, result!.records.flatMap(decodeBatches))
      if (result!.errorCode === ErrorCode.NONE) this.#noteEnd(broker, partition, result!.highWatermark)
    })
  }

  /** A fetch shows the high watermark as it is, also while the leader does not know what is committed. */
  #noteEnd(broker: SimulatedBroker, partition: number, highWatermark: number): void {
    this.#invariants.expect('P8 AppliedHWMonotonic', highWatermark <= this.#invariants.committedEnd(partition), {
      broker: broker.id,
      highWatermark,
    })
  }

  #askEnd(broker: SimulatedBroker, partition: number): void {
    const query = {
      topicPartition: topicPartition(partition),
      timestamp: -1,
      currentLeaderEpoch: -1,
      isolation: 'read_uncommitted' as const,
    }
    this.#whenAnswered(broker, broker.manager.listOffset(query), (answer) => {
      if (answer.errorCode === ErrorCode.NONE) this.#invariants.endExposed(broker, partition, answer.offset)
    })
  }

  #askInWrongEpoch(broker: SimulatedBroker, partition: number): void {
    const view = broker.manager.partition(topicPartition(partition))
    if (view?.role !== 'leader') return
    const ask = (currentLeaderEpoch: number): number =>
      broker.manager.offsetForLeaderEpoch({ topicPartition: topicPartition(partition), currentLeaderEpoch, leaderEpoch: 0 })
        .errorCode
    const ahead = ask(view.leaderEpoch + 1)
    this.#invariants.expect('P12 LeaderEpochFencing', ahead === ErrorCode.UNKNOWN_LEADER_EPOCH, { ahead })
    if (view.leaderEpoch === 0) return
    const behind = ask(view.leaderEpoch - 1)
    this.#invariants.expect('P12 LeaderEpochFencing', behind === ErrorCode.FENCED_LEADER_EPOCH, { behind })
  }

  /** A crashed broker answers nobody. */
  #whenAnswered<T>(broker: SimulatedBroker, promise: Promise<T>, then: (value: T) => void): void {
    this.#unanswered.set(broker, (this.#unanswered.get(broker) ?? 0) + 1)
    promise.then(
      (value) => {
        if (!broker.isAlive) return
        this.#unanswered.set(broker, this.#unanswered.get(broker)! - 1)
        this.#guard(() => then(value))
      },
      this.#failed,
    )
  }
}

const consumerFetch = {
  isolation: 'read_uncommitted',
  followerReads: 'allowed',
  rack: '',
  clientId: 'consumer',
  bytesMin: 1,
  bytesMax: 2 ** 20,
  waitMsMax: 500,
} as const
