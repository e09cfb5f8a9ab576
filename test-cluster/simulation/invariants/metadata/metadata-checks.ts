/** The promises about brokers and partitions in the metadata, §2.2 (C) and P14, on every committed step. */
import { emptyImage, MetadataLoader } from '@kavka/controller'
import type { Entry, MetadataImage, PartitionRegistration, TopicImage } from '@kavka/controller'
import { silentLogger } from '@kavka/kernel'
import type { NodeId, Uuid } from '@kavka/protocol'
import { protobufRecordCodec } from '@kavka/transport'
import type { SimulatedNode } from '../../node/simulated-node.ts'
import type { World } from '../../world/world.ts'
import type { ReassignmentChecks } from './reassignment-checks.ts'
import type { ReplicationChecks } from '../replication/replication-checks.ts'
import { UncleanRestartChecks } from './unclean-restart-checks.ts'

const IMAGES_KEPT = 300

export interface MetadataChecksDependencies {
  readonly world: World
  readonly replication: ReplicationChecks
  readonly reassignments: ReassignmentChecks
  readonly minIsrOf: (image: MetadataImage, topic: string) => number
}

export class MetadataChecks {
  readonly restarts: UncleanRestartChecks
  readonly #world: World
  readonly #replication: ReplicationChecks
  readonly #reassignments: ReassignmentChecks
  readonly #minIsrOf: (image: MetadataImage, topic: string) => number
  readonly #fingerprints = new Map<number, string>()
  readonly #topicIds = new Map<Uuid, string>()
  readonly #gone = new Set<Uuid>()
  readonly #brokerEpochs = new Map<NodeId, number>()
  readonly #loader: MetadataLoader
  #image: MetadataImage
  /** Of the entry that made it. */
  #payload: Uint8Array = new Uint8Array()

  constructor(dependencies: MetadataChecksDependencies) {
    this.#image = emptyImage
    this.#world = dependencies.world
    this.restarts = new UncleanRestartChecks(dependencies.world)
    this.#loader = new MetadataLoader({ codec: protobufRecordCodec, scheduler: dependencies.world.scheduler, log: silentLogger })
    this.#replication = dependencies.replication
    this.#reassignments = dependencies.reassignments
    this.#minIsrOf = dependencies.minIsrOf
  }

  get image(): MetadataImage {
    return this.#image
  }

  /** Deleted, for good. */
  isGone(topicId: Uuid): boolean {
    return this.#gone.has(topicId)
  }

  /** One committed entry, so that no step is seen together with the next. */
  committed(entry: Entry): void {
    this.#payload = entry.payload
    this.#loader.onCommitted([entry])
    const image = this.#loader.image
    const previous = this.#image
    this.#image = image
    this.#remember(image)
    this.#brokers(image, previous)
    this.#topics(image, previous)
  }

  /** C5: what a node has made of the log is what one that reads it entry by entry makes of it. */
  advanced(node: SimulatedNode, image: MetadataImage): void {
    const known = this.#fingerprints.get(image.offset)
    if (known === undefined) return
    const fingerprint = fingerprintOf(image)
    this.#world.judge('C5 MetadataLogMatching', known === fingerprint, { node: node.id, offset: image.offset, known, fingerprint })
  }

  #remember(image: MetadataImage): void {
    this.#fingerprints.set(image.offset, fingerprintOf(image))
    if (this.#fingerprints.size > IMAGES_KEPT) this.#fingerprints.delete(this.#fingerprints.keys().next().value!)
  }

  /** C3. */
  #brokers(image: MetadataImage, previous: MetadataImage): void {
    if (image.brokers === previous.brokers) return
    for (const broker of image.brokers.values()) {
      const before = this.#brokerEpochs.get(broker.id) ?? -1
      this.#world.judge('C3 BrokerEpochIncreases', broker.epoch >= before, { broker: broker.id, epoch: broker.epoch, before })
      const old = previous.brokers.get(broker.id)
      this.#world.judge('C3 BrokerEpochIncreases', old === undefined || old.incarnationId === broker.incarnationId || broker.epoch > old.epoch, { broker: broker.id })
      if (broker.epoch > before && before >= 0) {
        this.#world.probes.hit('broker registered again')
        this.restarts.registered(image, broker.id, before)
      }
      if (broker.fenced && old?.fenced === false) this.#world.probes.hit('broker fenced')
      this.#brokerEpochs.set(broker.id, broker.epoch)
    }
  }

  #topics(image: MetadataImage, previous: MetadataImage): void {
    const othersChanged = image.brokers !== previous.brokers || image.configs !== previous.configs
    if (image.topics === previous.topics && !othersChanged) return
    for (const topic of image.topics.byId.values()) {
      const before = previous.topics.byId.get(topic.id)
      // Images share what did not change, and all that was true of it is true of it still.
      if (topic !== before || othersChanged) this.#topic(image, previous, topic, before)
    }
    for (const topic of previous.topics.byId.values()) if (!image.topics.byId.has(topic.id)) this.#topicDeleted(topic)
  }

  #topic(image: MetadataImage, previous: MetadataImage, topic: TopicImage, topicBefore: TopicImage | undefined): void {
    const known = this.#topicIds.get(topic.id)
    this.#world.judge('C6 TopicIdNeverReused', (known === undefined || known === topic.name) && !this.#gone.has(topic.id), { topic: topic.name, id: topic.id })
    this.#topicIds.set(topic.id, topic.name)
    const minIsr = this.#minIsrOf(image, topic.name)
    for (const partition of topic.partitions) {
      const old = topicBefore?.partitions[partition.partition]
      const truth = this.#replication.truth.of(topic.id, topic.name, partition.partition)
      truth.minIsr = Math.min(truth.minIsr, minIsr, partition.replicas.length)
      if (old === partition && image.brokers === previous.brokers) continue
      this.#steps(image, topic, partition, old)
      this.#replication.partitionChanged(topic.id, topic.name, partition, old)
    }
  }

  #steps(image: MetadataImage, topic: TopicImage, now: PartitionRegistration, old: PartitionRegistration | undefined): void {
    let before = old
    for (const step of old === undefined ? [now] : this.#stepsTo(topic.id, now, old)) {
      this.#partition(image, topic, step, before)
      this.#reassignments.changed(topic.id, topic.name, step, before)
      if (before !== undefined && before !== step) this.restarts.partitionChanged(topic.id, step, before, image.offset)
      before = step
    }
  }

  #topicDeleted({ id, name, partitions }: TopicImage): void {
    this.#gone.add(id)
    this.#world.probes.hit('topic deleted')
    this.#reassignments.deleted(id)
    for (const { partition } of partitions) this.#replication.truth.of(id, name, partition).isDeleted = true
  }

  #partition(image: MetadataImage, { name: topic, partitions }: TopicImage, now: PartitionRegistration, old: PartitionRegistration | undefined): void {
    const name = `${topic}-${now.partition}`
    const { leader, isr, elr, replicas } = now
    const details = { partition: name, leader, isr: isr.join(), elr: elr.join(), epoch: now.leaderEpoch }
    // What is known of the brokers goes with the last step alone.
    const isLastStep = partitions[now.partition] === now
    const fenced = (id: NodeId): boolean => isLastStep && image.brokers.get(id)?.fenced !== false
    this.#world.judge('C1 FencedLeadsNothing', leader === null || (isr.includes(leader) && !fenced(leader)), details)
    this.#world.judge('C1 FencedNotInSync', isr.every((id) => !fenced(id) || (leader === null && isr.length === 1)), details)
    const isSound = isr.every((id) => replicas.includes(id)) && elr.every((id) => replicas.includes(id) && !isr.includes(id))
    this.#world.judge('C2 IsrAndElrAreReplicas', isSound, details)
    this.#world.judge('C2 NoElrAboveMinIsr', elr.length === 0 || isr.length < this.#minIsrOf(image, topic), details)
    this.#probePartition(now, old)
    // A snapshot brings the same partitions as new objects.
    if (old !== undefined && old !== now && JSON.stringify(old) !== JSON.stringify(now)) this.#change(image, details, now, old)
  }

  #change(image: MetadataImage, details: Readonly<Record<string, unknown>>, now: PartitionRegistration, old: PartitionRegistration): void {
    const { leader, isr } = now
    const grows = now.partitionEpoch > old.partitionEpoch && now.leaderEpoch >= old.leaderEpoch
    this.#world.judge('C4 EpochsIncrease', grows, { ...details, partitionEpoch: now.partitionEpoch, before: old.partitionEpoch, leaderEpoch: now.leaderEpoch, leaderEpochBefore: old.leaderEpoch })
    if (leader === old.leader) return
    this.#world.judge('C4 EpochsIncrease', now.leaderEpoch > old.leaderEpoch, { ...details, leaderBefore: old.leader })
    // KIP-966: when every candidate has stopped uncleanly, the last of them maybe in this very step, the last leader is taken back.
    const hasReturned = (id: NodeId): boolean => (image.brokers.get(id)?.epoch ?? 0) >= image.offset
    const isLastKnown = old.isr.length === 0 && old.elr.every(hasReturned) && old.lastKnownElr.length === 1 && old.lastKnownElr[0] === leader
    // The step that takes the last of them in sync may end a reassignment, and make a leader of one who has joined (KIP-455).
    const hasJoined = leader !== null && isr.includes(leader) && old.removingReplicas.length > 0 && now.removingReplicas.length === 0
    const wasCandidate = leader === null || old.isr.includes(leader) || old.elr.includes(leader) || isLastKnown || hasJoined
    this.#world.judge('P14 NoDirtyLeader', wasCandidate, { ...details, isrBefore: old.isr.join(), elrBefore: old.elr.join() })
  }

  /** One entry may hold several changes of a partition: who comes in sync by one of them may lead by the next. The last step is `now`. */
  #stepsTo(topicId: Uuid, now: PartitionRegistration, old: PartitionRegistration): PartitionRegistration[] {
    if (now.partitionEpoch <= old.partitionEpoch + 1) return [now]
    const changes = protobufRecordCodec.decode(this.#payload).filter((record) => record.kind === 'partition-change')
    const own = changes.filter((change) => change.topicId === topicId && change.partition === now.partition)
    let step = old
    const steps = own.map(({ leader, isr, elr, lastKnownElr, leaderRecovery, replicas, addingReplicas, removingReplicas }) => (step = {
      ...step,
      replicas: replicas ?? step.replicas, addingReplicas: addingReplicas ?? step.addingReplicas, removingReplicas: removingReplicas ?? step.removingReplicas,
      isr: isr ?? step.isr, elr: elr ?? step.elr, lastKnownElr: lastKnownElr ?? step.lastKnownElr, leaderRecovery: leaderRecovery ?? step.leaderRecovery,
      leader: leader === 'unchanged' ? step.leader : leader === 'none' ? null : leader,
      leaderEpoch: (step.leaderEpoch + (leader === 'unchanged' ? 0 : 1)) as typeof step.leaderEpoch,
      partitionEpoch: (step.partitionEpoch + 1) as typeof step.partitionEpoch,
    }))
    return [...steps.slice(0, -1), now]
  }

  #probePartition(now: PartitionRegistration, old: PartitionRegistration | undefined): void {
    const { probes } = this.#world
    if (now.elr.length > 0) probes.hit('elr not empty')
    if (now.leader === null) probes.hit('partition without leader')
    if (old === undefined) return
    if (now.leader !== old.leader) probes.hit('partition leader changed')
    if (now.isr.length < old.isr.length) probes.hit('isr shrunk')
    if (now.isr.length > old.isr.length) probes.hit('isr expanded')
  }
}

/** Images share what did not change, so that most of this was put together before. */
function fingerprintOf({ topics, brokers, configs, nextProducerId }: MetadataImage): string {
  return `${topicsText(topics.byId)}|${brokersText(brokers)}|${configsText(configs)}|${nextProducerId}`
}

const topicsText = remembered((byId: MetadataImage['topics']['byId']) => [...byId.values()].map(topicText).toSorted().join())
const topicText = remembered(({ id, name, partitions }: TopicImage) => `${id} ${name} ${partitions.map(partitionText).join(';')}`)
const partitionText = remembered((one: PartitionRegistration) => JSON.stringify(
  [one.leader, one.isr, one.elr, one.lastKnownElr, one.replicas, one.addingReplicas, one.removingReplicas, one.leaderEpoch, one.partitionEpoch],
))
const brokersText = remembered((brokers: MetadataImage['brokers']) =>
  [...brokers.values()].map(({ id, epoch, fenced, inControlledShutdown }) => `${id} ${epoch} ${fenced} ${inControlledShutdown}`).toSorted().join())
const configsText = remembered((configs: MetadataImage['configs']) =>
  [...configs].map(([key, values]) => JSON.stringify([key, [...values].toSorted()])).toSorted().join())

/** The same answer for the same object, as long as somebody holds it. */
function remembered<T extends object>(textOf: (value: T) => string): (value: T) => string {
  const known = new WeakMap<T, string>()
  return (value) => {
    let text = known.get(value)
    if (text === undefined) known.set(value, (text = textOf(value)))
    return text
  }
}
