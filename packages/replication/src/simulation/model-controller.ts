/** A controller without a quorum: decides at once, tells the brokers later. Kafka's rules for ISR, epochs and elections. */
import { directoryOf, emptyImage, LOST_DIRECTORY, UNASSIGNED_DIRECTORY } from '@kavka/controller'
import type { BrokerRegistration, MetadataChanges, MetadataImage, PartitionRegistration, TopicImage } from '@kavka/controller'
import { assertPresent } from '@kavka/kernel'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type {
  AlterPartitionRequest,
  AlterPartitionRequestPartitionData,
  AlterPartitionResponse,
  AlterPartitionResponsePartitionData,
  AssignReplicasToDirsRequest,
  AssignReplicasToDirsResponse,
  BrokerEpoch,
  LeaderEpoch,
  NodeId,
  PartitionEpoch,
  Uuid,
} from '@kavka/protocol'

export const TOPIC = 'orders'
export const TOPIC_ID = 'b3JkZXJzb3JkZXJzb3JkZQ' as Uuid
export const LISTENER = 'INTERNAL'

export class ModelController {
  image: MetadataImage = emptyImage
  onChange: () => void = () => {}
  #incarnations = 0

  constructor(brokers: readonly NodeId[], assignments: readonly (readonly NodeId[])[]) {
    for (const id of brokers) this.register(id)
    for (const id of brokers) this.#setBroker(id, { fenced: false })
    this.#setPartitions(assignments.map((replicas, partition) => newPartition(partition, replicas)))
  }

  partition(partition: number): PartitionRegistration {
    return assertPresent(this.#partitions()[partition], 'partition')
  }

  isFenced(id: NodeId): boolean {
    return this.image.brokers.get(id)?.fenced !== false
  }

  brokerEpoch(id: NodeId): number {
    return assertPresent(this.image.brokers.get(id), 'broker').epoch
  }

  /** A new process: leads and is in sync with nothing until it is unfenced. */
  register(id: NodeId): number {
    this.fence(id)
    const epoch = this.image.offset + 2
    const incarnation = String(++this.#incarnations).padStart(22, 'A')
    const registration: BrokerRegistration = {
      id,
      epoch: epoch as BrokerEpoch,
      incarnationId: incarnation as Uuid,
      endpoints: [{ listener: LISTENER, host: `broker-${id}`, port: 9092, securityProtocol: 'PLAINTEXT' }],
      rack: `rack-${id}`,
      features: new Map(),
      logDirs: [],
      fenced: true,
      inControlledShutdown: false,
    }
    this.#update({ brokers: new Map([...this.image.brokers, [id, registration]]) })
    return epoch
  }

  fence(id: NodeId): void {
    if (this.isFenced(id)) return
    this.#setBroker(id, { fenced: true })
    this.#setPartitions(
      this.#partitions().map((partition) => {
        if (!partition.isr.includes(id)) return partition
        const rest = partition.isr.filter((member) => member !== id)
        // The last member stays: nobody else is known to have everything.
        return this.#elect(partition, rest.length === 0 ? partition.isr : rest)
      }),
    )
  }

  unfence(id: NodeId): void {
    if (!this.isFenced(id)) return
    this.#setBroker(id, { fenced: false })
    this.#setPartitions(
      this.#partitions().map((partition) => (partition.leader === null ? this.#elect(partition, partition.isr) : partition)),
    )
  }

  /** Moves the leadership to another member of the ISR. */
  moveLeader(partition: number, to: NodeId): void {
    const known = this.partition(partition)
    if (this.isFenced(to) || !known.isr.includes(to) || known.leader === to) return
    const moved = changed(known, { leader: to, leaderEpoch: (known.leaderEpoch + 1) as LeaderEpoch })
    this.#setPartitions(this.#partitions().map((other) => (other.partition === partition ? moved : other)))
  }

  alterPartition(request: AlterPartitionRequest): AlterPartitionResponse {
    if (this.brokerEpoch(request.brokerId as NodeId) !== request.brokerEpoch) {
      return { throttleTimeMs: 0, errorCode: ErrorCode.STALE_BROKER_EPOCH, topics: [] }
    }
    const topics = request.topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map((asked) => this.#alterOne(request.brokerId as NodeId, asked)),
    }))
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics }
  }

  /** What brokers ask for through the channel. */
  answer(apiKey: number, body: unknown): unknown {
    if (apiKey === ApiKey.AssignReplicasToDirs) return this.assignReplicasToDirs(body as AssignReplicasToDirsRequest)
    return this.alterPartition(body as AlterPartitionRequest)
  }

  assignReplicasToDirs(request: AssignReplicasToDirsRequest): AssignReplicasToDirsResponse {
    const broker = request.brokerId as NodeId
    if (this.brokerEpoch(broker) !== request.brokerEpoch) {
      return { throttleTimeMs: 0, errorCode: ErrorCode.STALE_BROKER_EPOCH, directories: [] }
    }
    const directories = request.directories.map(({ id, topics }) => ({
      id,
      topics: topics.map(({ topicId, partitions }) => ({
        topicId,
        partitions: partitions.map(({ partitionIndex }) => {
          return { partitionIndex, errorCode: this.#assignOne(broker, partitionIndex, id) }
        }),
      })),
    }))
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, directories }
  }

  isLost(partition: number, broker: NodeId): boolean {
    return directoryOf(this.partition(partition), broker) === LOST_DIRECTORY
  }

  /** A lost replica leaves the ISR in a new leader epoch, if another member can lead. */
  #assignOne(broker: NodeId, partition: number, directory: Uuid): number {
    const known = this.partition(partition)
    const assigned = { ...known, directories: known.directories.with(known.replicas.indexOf(broker), directory) }
    if (directory !== LOST_DIRECTORY) {
      this.#setPartition(changed(assigned, {}))
      return ErrorCode.NONE
    }
    const isr = known.isr.filter((id) => id !== broker)
    const others = known.replicas.filter((id) => isr.includes(id) && !this.isFenced(id))
    if (known.isr.includes(broker) && others.length === 0) return ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE
    const leader = known.leader === broker ? others[0]! : known.leader
    const leaderEpoch = (known.leaderEpoch + 1) as LeaderEpoch
    this.#setPartition(changed(assigned, { isr, leader, leaderEpoch }))
    return ErrorCode.NONE
  }

  #setPartition(changedOne: PartitionRegistration): void {
    this.#setPartitions(this.#partitions().map((other) => (other.partition === changedOne.partition ? changedOne : other)))
  }

  #alterOne(broker: NodeId, asked: AlterPartitionRequestPartitionData): AlterPartitionResponsePartitionData {
    const known = this.partition(asked.partitionIndex)
    const errorCode = this.#problemWith(broker, known, asked)
    if (errorCode !== ErrorCode.NONE) return answer(known, errorCode)
    const isr = asked.newIsrWithEpochs.map(({ brokerId }) => brokerId as NodeId)
    const altered = changed(known, { isr })
    this.#setPartitions(this.#partitions().map((other) => (other.partition === known.partition ? altered : other)))
    return answer(altered, ErrorCode.NONE)
  }

  #problemWith(broker: NodeId, known: PartitionRegistration, asked: AlterPartitionRequestPartitionData): number {
    if (asked.leaderEpoch > known.leaderEpoch || asked.partitionEpoch > known.partitionEpoch) {
      return ErrorCode.NOT_CONTROLLER
    }
    if (asked.leaderEpoch < known.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH
    if (broker !== known.leader) return ErrorCode.INVALID_REQUEST
    if (asked.partitionEpoch < known.partitionEpoch) return ErrorCode.INVALID_UPDATE_VERSION
    const isr = asked.newIsrWithEpochs
    if (!isr.some(({ brokerId }) => brokerId === broker)) return ErrorCode.INVALID_REQUEST
    const isIneligible = isr.some(
      ({ brokerId, brokerEpoch }) =>
        this.isFenced(brokerId as NodeId) ||
        this.brokerEpoch(brokerId as NodeId) !== brokerEpoch ||
        this.isLost(known.partition, brokerId as NodeId),
    )
    return isIneligible ? ErrorCode.INELIGIBLE_REPLICA : ErrorCode.NONE
  }

  #elect(partition: PartitionRegistration, isr: readonly NodeId[]): PartitionRegistration {
    const { leader } = partition
    const isFit = (id: NodeId): boolean => isr.includes(id) && !this.isFenced(id)
    const next = leader !== null && isFit(leader) ? leader : (partition.replicas.find(isFit) ?? null)
    if (next === leader) return changed(partition, { isr })
    return changed(partition, { isr, leader: next, leaderEpoch: (partition.leaderEpoch + 1) as LeaderEpoch })
  }

  #partitions(): readonly PartitionRegistration[] {
    return this.image.topics.byId.get(TOPIC_ID)?.partitions ?? []
  }

  #setBroker(id: NodeId, change: Partial<BrokerRegistration>): void {
    const broker = assertPresent(this.image.brokers.get(id), 'broker')
    this.#update({ brokers: new Map([...this.image.brokers, [id, { ...broker, ...change }]]) })
  }

  #setPartitions(partitions: readonly PartitionRegistration[]): void {
    const before = this.#partitions()
    if (partitions.length === before.length && partitions.every((partition, at) => partition === before[at])) return
    const topic: TopicImage = { id: TOPIC_ID, name: TOPIC, partitions }
    this.#update({ topics: { byId: new Map([[TOPIC_ID, topic]]), byName: new Map([[TOPIC, topic]]) } })
  }

  #update(change: Partial<MetadataImage>): void {
    this.image = { ...this.image, ...change, offset: this.image.offset + 1 }
    this.onChange()
  }
}

/** What lies between two images, as the metadata loader would say it. */
export function changesBetween(previous: MetadataImage, image: MetadataImage): MetadataChanges {
  const topics = new Set<Uuid>()
  for (const [id, topic] of image.topics.byId) if (previous.topics.byId.get(id) !== topic) topics.add(id)
  const deleted = new Map<Uuid, TopicImage>()
  for (const [id, topic] of previous.topics.byId) if (!image.topics.byId.has(id)) deleted.set(id, topic)
  const brokers = new Set<NodeId>()
  for (const [id, broker] of image.brokers) if (previous.brokers.get(id) !== broker) brokers.add(id)
  const configs = [...image.configs.keys()].filter((key) => image.configs.get(key) !== previous.configs.get(key))
  return {
    topicsCreatedOrChanged: topics,
    topicsDeleted: deleted,
    brokersChanged: brokers,
    configsChanged: new Set(configs),
    featuresChanged: false,
  }
}

/** A partition as it is created: everyone in sync, the first replica leads. */
export function newPartition(partition: number, replicas: readonly NodeId[]): PartitionRegistration {
  return {
    partition,
    replicas,
    isr: replicas,
    elr: [],
    lastKnownElr: [],
    addingReplicas: [],
    directories: replicas.map(() => UNASSIGNED_DIRECTORY),
    removingReplicas: [],
    leader: replicas[0] ?? null,
    leaderRecovery: 'recovered',
    leaderEpoch: 0 as LeaderEpoch,
    partitionEpoch: 0 as PartitionEpoch,
  }
}

/** Any change counts in the partition epoch. */
export function changed(known: PartitionRegistration, change: Partial<PartitionRegistration>): PartitionRegistration {
  return { ...known, ...change, partitionEpoch: (known.partitionEpoch + 1) as PartitionEpoch }
}

function answer(known: PartitionRegistration, errorCode: number): AlterPartitionResponsePartitionData {
  return {
    partitionIndex: known.partition,
    errorCode,
    leaderId: known.leader ?? -1,
    leaderEpoch: known.leaderEpoch,
    isr: known.isr,
    leaderRecoveryState: 0,
    partitionEpoch: known.partitionEpoch,
  }
}
