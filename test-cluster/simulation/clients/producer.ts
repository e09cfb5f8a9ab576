/** An idempotent (or plain) producer with acks=all that never gives up: up to five batches under way for each partition, each repeated until it is settled. */
import { buildBatch, batchCrc, ErrorCode, errorName } from '@kavka/protocol'
import type { NodeId, TopicPartition, Uuid } from '@kavka/protocol'
import type { AppendResult } from '@kavka/replication'
import type { Cluster } from '../cluster.ts'
import { Client } from './client.ts'

interface Batch {
  readonly index: number
  readonly producerEpoch: number
  readonly sequence: number
  readonly count: number
  readonly records: Buffer
  readonly crc: number
  attempts: number
  firstSentMs: number
}

interface Target {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid
  producerId: number
  producerEpoch: number
  nextSequence: number
  nextIndex: number
  readonly queue: Batch[]
  readonly underWay: Set<Batch>
  /** Until the log knows the producer, a later sequence would be taken for its first. */
  isKnown: boolean
  /** Of what was acknowledged, by the index of the batch. */
  readonly offsets: Map<number, number>
  isOver: boolean
  isPausing: boolean
  /** A request was given up and may still arrive. */
  hasCopies: boolean
}

const IN_FLIGHT_MAX = 5
const BURST_MAX = 4
const REQUEST_TIMEOUT_MS = 1_500
/** What may be answered to a producer that does everything right. */
export const LEGAL_ERRORS: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_ID, ErrorCode.INCONSISTENT_TOPIC_ID, ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.FENCED_LEADER_EPOCH,
])
/** When nothing of a partition is under way; the second: after something was sent twice. */
const EPOCH_BUMP_PROBABILITY = 0.02
const EPOCH_BUMP_PROBABILITY_WITH_COPIES = 0.5
/** Of a request to be held up beyond its time. */
const HELD_PROBABILITY = 0.002
const HELD_MS_MAX = 4_000

export class Producer {
  readonly client: Client
  readonly #isIdempotent: boolean
  readonly #paceMs: number
  readonly #targets = new Map<string, Target>()
  #made = 0
  isStopping = false

  constructor(name: string, address: number, cluster: Cluster) {
    this.client = new Client(name, address, cluster)
    const { random } = this.client
    this.#isIdempotent = random.unit() < 0.8
    this.#paceMs = [20, 60, 200][random.below(3)]!
    void this.#loop()
  }

  get isIdle(): boolean {
    return [...this.#targets.values()].every((target) => target.isOver || (target.queue.length === 0 && target.underWay.size === 0))
  }

  describe(): string {
    return [...this.#targets.values()].filter((one) => !one.isOver && one.queue.length + one.underWay.size > 0)
      .map((one) => `${this.client.name} ${one.topicPartition.topic}-${one.topicPartition.partition}: ${one.queue.length} queued, ${one.underWay.size} under way`).join('; ')
  }

  async #loop(): Promise<void> {
    const { client } = this
    for (;;) {
      await client.pause(this.#paceMs * (0.5 + client.random.unit()))
      if (this.isStopping) continue
      if (client.partitions.size === 0 || client.random.unit() < 0.05) await client.refresh()
      const name = this.#anyName()
      if (name === null) continue
      const target = await this.#targetOf(name)
      if (target === null || target.queue.length >= IN_FLIGHT_MAX * 2) continue
      this.#maybeStartEpoch(target)
      for (let batches = this.#burst(); batches > 0; batches--) this.#make(target)
      this.#pump(target)
    }
  }

  /** Who waits long has more to say at once: several batches under way are what sequences are about. */
  #burst(): number {
    const { random, cluster } = this.client
    return cluster.swarm.tempo.paceFactor === 1 || random.unit() < 0.7 ? 1 : 2 + random.below(BURST_MAX - 1)
  }

  #anyName(): string | null {
    const { partitions, random } = this.client
    let count = 0
    for (const name of partitions.keys()) if (!name.startsWith('__')) count++
    if (count === 0) return null
    let at = random.below(count)
    for (const name of partitions.keys()) if (!name.startsWith('__') && at-- === 0) return name
    return null
  }

  async #targetOf(name: string): Promise<Target | null> {
    const info = this.client.partitions.get(name)
    if (info === undefined) return null
    const key = `${name}/${info.topicId}`
    const known = this.#targets.get(key)
    if (known !== undefined) return known.isOver ? null : known
    const producerId = this.#isIdempotent ? await this.#producerId() : -1
    if (producerId === null || this.#targets.has(key)) return this.#targets.get(key) ?? null
    const at = name.lastIndexOf('-')
    const topicPartition = { topic: name.slice(0, at), partition: Number(name.slice(at + 1)) }
    const target: Target = {
      topicPartition, topicId: info.topicId, producerId, producerEpoch: 0, nextSequence: 0, nextIndex: 0, queue: [], underWay: new Set(), isKnown: false,
      offsets: new Map(), isOver: false, isPausing: false, hasCopies: false,
    }
    this.#targets.set(key, target)
    return target
  }

  async #producerId(): Promise<number | null> {
    const answer = await this.client.call(this.client.anyNode(), REQUEST_TIMEOUT_MS, (node) => node.producerIds!.next())
    return answer?.ok === true ? answer.value : null
  }

  /** As a client does that has lost count (KIP-360): everything is settled, but copies of old requests may still be on their way. */
  #maybeStartEpoch(target: Target): void {
    const isSettled = target.producerId >= 0 && target.isKnown && target.nextSequence > 0 && target.queue.length + target.underWay.size === 0
    const probability = target.hasCopies ? EPOCH_BUMP_PROBABILITY_WITH_COPIES : EPOCH_BUMP_PROBABILITY
    if (!isSettled || this.client.random.unit() >= probability) return
    target.hasCopies = false
    this.client.cluster.world.probes.hit('producer epoch bumped')
    target.producerEpoch++
    target.nextSequence = 0
  }

  #make(target: Target): void {
    const { random, name, process } = this.client
    const count = 1 + random.below(3)
    const timestamp = process.wallMs()
    const value = (): Buffer => Buffer.from(`${name}:${this.#made++}:${'x'.repeat(random.below(120))}`)
    const records = Array.from({ length: count }, () => ({ timestamp, key: null, value: value() }))
    const { producerId, producerEpoch, nextSequence: sequence } = target
    const bytes = buildBatch(records, producerId < 0 ? {} : { producerId, producerEpoch, baseSequence: sequence })
    target.queue.push({ index: target.nextIndex++, producerEpoch, sequence, count, records: bytes, crc: batchCrc(bytes, 0), attempts: 0, firstSentMs: 0 })
    target.nextSequence += count
  }

  #pump(target: Target): void {
    // Without sequences a repeated batch may overtake: one at a time then.
    const inFlightMax = target.producerId < 0 || !target.isKnown ? 1 : IN_FLIGHT_MAX
    while (!target.isOver && !target.isPausing && target.queue.length > 0 && target.underWay.size < inFlightMax) {
      // What is repeated waits for what was sent before it, as Kafka's clients do.
      if (target.queue[0]!.attempts > 0 && target.underWay.size > 0) return
      // Nor may the oldest that is not acknowledged leave the window of batches that the log remembers.
      let oldest = target.queue[0]!.index
      for (const { index } of target.underWay) oldest = Math.min(oldest, index)
      if (target.queue[0]!.index - oldest >= inFlightMax) return
      const batch = target.queue.shift()!
      target.underWay.add(batch)
      void this.#send(target, batch)
    }
  }

  async #send(target: Target, batch: Batch): Promise<void> {
    const { client } = this
    const { probes } = client.cluster.world
    if (batch.attempts++ > 0) probes.hit('batch retried')
    else batch.firstSentMs = client.cluster.world.nowMs
    const { topicPartition, topicId } = target
    const info = await client.infoOf(topicPartition)
    if (info !== null && info.topicId !== topicId) return this.#giveUp(target)
    if (info === null || info.leader === null) {
      // A topic that is gone from the newest metadata is gone for good.
      if (!client.cluster.image.topics.byId.has(topicId) && this.#hasBeenKnown(topicId)) return this.#giveUp(target)
      return this.#again(target, batch, topicPartition)
    }
    const isFirst = isFirstOf(batch, target.underWay) && isFirstOf(batch, target.queue)
    const { leader } = info
    const isHeld = this.#isIdempotent && !client.cluster.isHealing && client.random.unit() < HELD_PROBABILITY
    const answer = isHeld ? await this.#hold(target, batch, leader) : await this.#deliver(target, batch, leader)
    if (answer?.errorCode === ErrorCode.NONE) {
      target.underWay.delete(batch)
      target.isKnown = true
      target.offsets.set(batch.index, answer.baseOffset)
      target.offsets.delete(batch.index - IN_FLIGHT_MAX * 2)
      return this.#pump(target)
    }
    if (answer === null) target.hasCopies = true
    if (answer === null || answer.errorCode === ErrorCode.REQUEST_TIMED_OUT) probes.hit('produce out of time')
    else this.#judge(target, batch, answer.errorCode, isFirst, leader)
    if (!target.isOver) this.#again(target, batch, topicPartition)
  }

  /** Somewhere on its way it lies until long after its sender has given it up and sent it again. */
  async #hold(target: Target, batch: Batch, leader: NodeId): Promise<null> {
    const { process, random } = this.client
    process.after(REQUEST_TIMEOUT_MS * 2 + HELD_MS_MAX * random.unit(), () => void this.#deliver(target, batch, leader))
    await process.sleep(REQUEST_TIMEOUT_MS)
    return null
  }

  #deliver(target: Target, batch: Batch, leader: NodeId): Promise<AppendResult | null> {
    const { cluster } = this.client
    const { topicPartition, topicId } = target
    return this.client.call(leader, REQUEST_TIMEOUT_MS * 2, async (node) => {
      const entries = [{ topicPartition, topicId, records: Buffer.from(batch.records) }]
      const [result] = await node.replicas!.append({ acks: -1, timeoutMs: REQUEST_TIMEOUT_MS, origin: 'client', entries })
      if (result!.errorCode === ErrorCode.NONE && node.process.isAlive) {
        const acked = { base: result!.baseOffset, crc: batch.crc, count: batch.count }
        cluster.replication.acknowledged(node.id, topicPartition, topicId, acked)
      }
      const isOld = result!.errorCode === ErrorCode.INVALID_PRODUCER_EPOCH && batch.producerEpoch < target.producerEpoch
      if (isOld) cluster.world.probes.hit('old producer epoch refused')
      return result!
    })
  }

  #judge(target: Target, batch: Batch, errorCode: number, isFirst: boolean, leader: NodeId): void {
    const { world } = this.client.cluster
    const refusal = { error: errorName(errorCode), sequence: batch.sequence, partition: target.topicPartition.topic }
    world.judge('T1 ProduceIsLegal', LEGAL_ERRORS.has(errorCode), refusal)
    switch (errorCode) {
      case ErrorCode.NOT_LEADER_OR_FOLLOWER:
        return world.probes.hit('produce refused: not leader')
      case ErrorCode.NOT_ENOUGH_REPLICAS:
      case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
        return world.probes.hit('produce refused: not enough replicas')
      case ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER: {
        world.probes.hit('out of order sequence')
        // All before it were acknowledged when it was sent, so the log must know the sequence before this one.
        const details = { producer: target.producerId, partition: `${target.topicPartition.topic}-${target.topicPartition.partition}`, sequence: batch.sequence }
        // A process that was started since may know only the last batch of each producer: that is all that Kafka's snapshots hold.
        const knows = batch.attempts === 1 || (this.client.cluster.node(leader)?.startedMs ?? Infinity) < batch.firstSentMs
        if (isFirst && (!knows || this.#isForgotten(target, batch))) return this.#giveUp(target)
        // A deposed leader that does not know it lacks what its successor has acknowledged.
        if (!this.#leadsNow(leader, target)) return
        return world.judge('T1 SequenceContinues', !isFirst, details)
      }
      default:
    }
  }

  /** Retention has taken what the log knew it by before this batch; a later one may then have been taken for its first. */
  #isForgotten({ topicId, topicPartition: { topic, partition }, offsets }: Target, { index }: Batch): boolean {
    return this.client.cluster.replication.truth.of(topicId, topic, partition).retainedFrom > (offsets.get(index - 1) ?? -1)
  }

  /** Older batches first, as a client does that keeps the order of its sequences. */
  #again(target: Target, batch: Batch, topicPartition: TopicPartition): void {
    this.client.stale(topicPartition)
    target.underWay.delete(batch)
    target.queue.push(batch)
    target.queue.sort((a, b) => a.sequence - b.sequence)
    target.isPausing = true
    this.client.process.after(this.client.inTempoMs(20 + 100 * this.client.random.unit()), () => {
      target.isPausing = false
      this.#pump(target)
    })
  }

  #leadsNow(id: NodeId, { topicId, topicPartition }: Target): boolean {
    const { cluster } = this.client
    const registration = cluster.image.topics.byId.get(topicId)?.partitions[topicPartition.partition]
    const view = cluster.node(id)?.replicas?.partition(topicPartition) ?? null
    return registration?.leader === id && view?.role === 'leader' && view.leaderEpoch === registration.leaderEpoch
  }

  #hasBeenKnown(topicId: Uuid): boolean {
    return this.client.cluster.metadata.isGone(topicId)
  }

  #giveUp(target: Target): void {
    target.isOver = true
    target.queue.length = 0
    target.underWay.clear()
  }
}

function isFirstOf(batch: Batch, others: Iterable<Batch>): boolean {
  for (const { sequence } of others) if (sequence < batch.sequence) return false
  return true
}
