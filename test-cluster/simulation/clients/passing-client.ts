/**
 * Lives on topics that pass: writes to one, reads it, deletes it and makes the next of its name, all at once. And a node that hears of a
 * deletion may have a request of this client in that very turn, or a read under way: a good client cannot know.
 */
import type { TopicImage } from '@kavka/controller'
import { batchCrc, buildBatch, ErrorCode, errorName } from '@kavka/protocol'
import type { NodeId, TopicPartition, Uuid } from '@kavka/protocol'
import type { AppendResult } from '@kavka/replication'
import type { Cluster } from '../cluster.ts'
import type { SimulatedNode } from '../node/simulated-node.ts'
import { Admin } from './admin.ts'
import { judgeRead } from './consumer.ts'
import { LEGAL_ERRORS } from './producer.ts'
import { PASSING_TOPICS } from './topic-admin.ts'

const TIMEOUT_MS = 1_500
const BURST_MAX = 4
/** Between a deletion and the next topic of the name: several entries of the quorum then often reach a node as one change. */
const AGAIN_MS_MAX = 4
const PLACES_KEPT = 12
/** In the turn in which a deletion arrives; for each partition that is led there. */
const LAST_TURN_PROBABILITY = 0.6

/** Null: whatever topic has the name. */
interface Addressee {
  readonly topicPartition: TopicPartition
  readonly topicId: Uuid | null
}

/** Where something was once written, perhaps in a topic that is gone. */
interface Place extends Addressee {
  readonly topicId: Uuid
  readonly leader: NodeId
  readonly leaderEpoch: number
}

/** Sequences of one producer id in one partition; after anything but success another one begins. */
interface Sequences {
  readonly producerId: number
  next: number
  /** Until the log knows the producer, a later sequence would be taken for its first. */
  isKnown: boolean
}

interface Batch {
  readonly records: Buffer
  readonly crc: number
  readonly count: number
}

/** Works until the cluster is healed. */
export function startPassingClient(name: string, address: number, cluster: Cluster): void {
  void new PassingClient(name, address, cluster).loop()
}

class PassingClient {
  readonly #admin: Admin
  readonly #cluster: Cluster
  readonly #paceMs: number
  readonly #places: Place[] = []
  readonly #sequences = new Map<string, Sequences>()
  #made = 0

  constructor(name: string, address: number, cluster: Cluster) {
    this.#admin = new Admin(name, address, cluster, 'one-node')
    this.#cluster = cluster
    this.#paceMs = [180, 450][this.#admin.client.random.below(2)]!
    cluster.lastTurnListeners.push((node, deleted) => this.#lastTurn(node, deleted))
  }

  async loop(): Promise<void> {
    const { client } = this.#admin
    for (;;) {
      await client.pause(this.#paceMs * (0.5 + client.random.unit()))
      if (this.#cluster.isHealing) return
      const topic = PASSING_TOPICS[client.random.below(PASSING_TOPICS.length)]!
      const die = client.random.unit()
      if (die < 0.5) await this.#write(topic)
      else if (die < 0.8) await this.#read()
      else if (this.#cluster.image.topics.byName.has(topic)) await this.#replace(topic)
      else await this.#admin.createTopic(topic, 1 + client.random.below(2), {})
    }
  }

  async #write(topic: string): Promise<void> {
    const place = await this.#placeIn(topic)
    if (place === null) return
    const { client } = this.#admin
    const acks = client.random.unit() < 0.7 ? -1 : 1
    // What only a leader has may be lost, and then a sequence would seem to begin in the middle.
    const sequences = acks === 1 ? null : await this.#sequencesOf(place)
    const burst = acks === -1 && sequences?.isKnown !== true ? 1 : 1 + client.random.below(BURST_MAX)
    const batches = Array.from({ length: burst }, () => this.#batch(sequences))
    // Clients of older protocol versions name the topic alone: then the next of the name takes it as well, and it would not know the sequence.
    const topicId = sequences !== null || client.random.unit() < 0.4 ? place.topicId : null
    const results = await client.call(place.leader, TIMEOUT_MS * 2, (node) => {
      return Promise.all(batches.map((batch) => this.#append(node, { ...place, topicId }, batch, acks)))
    })
    const isDone = results?.every((errorCode) => errorCode === ErrorCode.NONE) === true
    if (sequences !== null && isDone) sequences.isKnown = true
    if (isDone) return
    client.stale(place.topicPartition)
    this.#sequences.delete(keyOf(place))
  }

  async #append(node: SimulatedNode, { topicPartition, topicId }: Addressee, batch: Batch, acks: 1 | -1): Promise<number> {
    const entries = [{ topicPartition, topicId, records: Buffer.from(batch.records) }]
    const [result] = await node.replicas!.append({ acks, timeoutMs: TIMEOUT_MS, origin: 'client', entries }) as [AppendResult]
    const { errorCode, baseOffset: base } = result
    const { replication, world } = this.#cluster
    const isLegal = errorCode === ErrorCode.NONE || errorCode === ErrorCode.REQUEST_TIMED_OUT || LEGAL_ERRORS.has(errorCode)
    world.judge('T1 ProduceIsLegal', isLegal, { error: errorName(errorCode), partition: topicPartition.topic })
    const isPromised = errorCode === ErrorCode.NONE && acks === -1 && topicId !== null && node.process.isAlive
    if (isPromised) replication.acknowledged(node.id, topicPartition, topicId, { base, crc: batch.crc, count: batch.count })
    return errorCode
  }

  /** From a place of now or of the past, by its topic id. */
  async #read(): Promise<void> {
    const { client } = this.#admin
    const place = this.#places[client.random.below(Math.max(1, this.#places.length))]
    if (place === undefined) return
    await client.call(place.leader, TIMEOUT_MS, (node) => this.#fetch(node, place, 0))
  }

  async #fetch(node: SimulatedNode, { topicPartition, topicId, leaderEpoch }: Place, fetchOffset: number): Promise<void> {
    const [result] = await node.replicas!.fetch({
      isolation: 'read_uncommitted', followerReads: 'refused', rack: '', clientId: this.#admin.client.name, bytesMin: 1, bytesMax: 100_000, waitMsMax: 100,
      partitions: [{ topicPartition, topicId, fetchOffset, bytesMax: 3_000, currentLeaderEpoch: leaderEpoch, lastFetchedEpoch: -1 }],
    })
    if (!node.process.isAlive || result!.errorCode !== ErrorCode.NONE) return
    judgeRead(this.#cluster, node, { topicPartition, topicId, fetchOffset }, Buffer.concat(result!.records))
  }

  /** Deleted, and mostly made again before anybody has heard of that. */
  async #replace(topic: string): Promise<void> {
    const { client } = this.#admin
    const idOf = (): Uuid | undefined => this.#cluster.image.topics.byName.get(topic)?.id
    const before = idOf()
    const deleted = this.#admin.deleteTopic(topic)
    if (client.random.unit() < 0.3) return await deleted
    await client.process.sleep(AGAIN_MS_MAX * client.random.unit())
    await Promise.all([deleted, this.#admin.createTopic(topic, 1 + client.random.below(2), {})])
    const after = idOf()
    if (before !== undefined && after !== undefined && after !== before) this.#cluster.world.probes.hit('topic created again at once')
  }

  /** What arrives in the turn in which that node hears of the deletions, and before it has acted on them. */
  #lastTurn(node: SimulatedNode, deleted: readonly TopicImage[]): void {
    const { random } = this.#admin.client
    if (this.#cluster.isHealing || node.replicas === null) return
    for (const { id: topicId, name: topic, partitions } of deleted) {
      if (!PASSING_TOPICS.some((name) => name === topic)) continue
      for (const { partition } of partitions) {
        const topicPartition = { topic, partition }
        const view = node.replicas.partition(topicPartition)
        if (view === null || view.role !== 'leader' || view.topicId !== topicId) continue
        const place = { topicPartition, topicId, leader: node.id, leaderEpoch: view.leaderEpoch }
        if (random.unit() < LAST_TURN_PROBABILITY) this.#readLast(node, place, view.log.logStartOffset < view.log.logEndOffset)
        if (random.unit() < LAST_TURN_PROBABILITY) this.#writeLast(node, place, () => view.log.logEndOffset)
      }
    }
  }

  #readLast(node: SimulatedNode, place: Place, hasRecords: boolean): void {
    if (hasRecords) this.#cluster.world.probes.hit('topic deleted under a read')
    void this.#fetch(node, place, node.replicas!.partition(place.topicPartition)!.log.logStartOffset)
  }

  #writeLast(node: SimulatedNode, place: Place, end: () => number): void {
    const before = end()
    void this.#append(node, place, this.#batch(null), this.#admin.client.random.unit() < 0.5 ? 1 : -1)
    if (end() > before) this.#cluster.world.probes.hit('topic deleted in a turn that wrote to it')
  }

  async #placeIn(topic: string): Promise<Place | null> {
    const { client } = this.#admin
    const topicPartition = { topic, partition: client.random.below(2) }
    const info = await client.infoOf(topicPartition)
    if (info === null || info.leader === null) {
      client.stale(topicPartition)
      return null
    }
    const place = { topicPartition, topicId: info.topicId, leader: info.leader, leaderEpoch: info.leaderEpoch }
    this.#places.push(place)
    if (this.#places.length > PLACES_KEPT) this.#places.shift()
    return place
  }

  async #sequencesOf(place: Place): Promise<Sequences | null> {
    const key = keyOf(place)
    const known = this.#sequences.get(key)
    if (known !== undefined) return known
    const { client } = this.#admin
    const answer = await client.call(client.anyNode(), TIMEOUT_MS, (node) => node.producerIds!.next())
    if (answer?.ok !== true) return null
    const begun: Sequences = { producerId: answer.value, next: 0, isKnown: false }
    this.#sequences.set(key, begun)
    return begun
  }

  /** Plain without sequences. */
  #batch(sequences: Sequences | null): Batch {
    const { random, name, process } = this.#admin.client
    const count = 1 + random.below(3)
    const timestamp = process.wallMs()
    const records = Array.from({ length: count }, () => {
      return { timestamp, key: null, value: Buffer.from(`${name}:${this.#made++}:${'y'.repeat(random.below(200))}`) }
    })
    const bytes = buildBatch(records, sequences === null ? {} : { producerId: sequences.producerId, producerEpoch: 0, baseSequence: sequences.next })
    if (sequences !== null) sequences.next += count
    return { records: bytes, crc: batchCrc(bytes, 0), count }
  }
}

function keyOf({ topicPartition: { partition }, topicId }: Place): string {
  return `${topicId}/${partition}`
}
