/**
 * Random lives of clusters: the invariants of controllers hold after each step, and every copy of the state
 * is equal.
 */
import { assert, seededRandom } from '@kavka/kernel'
import type { Random } from '@kavka/kernel'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { NodeId, Uuid } from '@kavka/protocol'
import { contentOf, describeImage } from '../testing/describe-image.ts'
import { jsonRecordCodec } from '../testing/json-record-codec.ts'
import { TestCluster, testUuid } from '../testing/test-cluster.ts'
import { minInsyncReplicas } from './configs/effective.ts'
import { MetadataDelta, replayBatch } from './delta.ts'
import type { IndexedImage } from './partition-index.ts'
import { emptyIndexedImage } from './partition-index.ts'
import { directoryOf, hasOnlineDirectory, LOST_DIRECTORY } from './directories.ts'
import type { PartitionRegistration, TopicImage } from './image.ts'
import { isActive } from './partitions/partition-changes.ts'
import { preferredElections, uncleanElections } from './partitions/maintenance.ts'
import { imageOf, recordsOf } from './snapshot.ts'

const BROKERS = 5
const STEPS = 500

for (const seed of process.env['SEED'] === undefined
  ? [1, 2, 3, 4, 5, 6, 7, 8]
  : [Number(process.env['SEED'])]) {
  test(`SEED=${seed}`, () => {
    const random = seededRandom(seed)
    const cluster = new TestCluster({
      seed,
      properties: { 'min.insync.replicas': String(1 + random.below(3)) },
    })
    const topicIds = new Set<Uuid>()
    for (let step = 0; step < STEPS; step++) {
      const before = cluster.image
      const unclean = randomStep(cluster, random)
      checkInvariants(cluster, before, topicIds, unclean)
    }
    // A life in which nothing happens proves nothing.
    const changes = cluster.batches.flat().filter(({ kind }) => kind === 'partition-change').length
    expect(changes).toBeGreaterThan(50)
    expect(topicIds.size).toBeGreaterThan(3)
    checkCopies(cluster)
  })
}

type Unclean = 'unclean' | 'clean'

type Step = (cluster: TestCluster, random: Random, id: number) => unknown

/** By how often they are taken. Last known leaders and topics that allow it are elected uncleanly in any step, and show it themselves. */
const steps: readonly (readonly [weight: number, step: Step])[] = [
  [1, (cluster, _random, id) => cluster.register(id, directories(id))],
  [1, registerAfterAnyStop],
  [3, (cluster, _random, id) => cluster.heartbeat(id)],
  [1, (cluster, random, id) => random.below(2) === 0 && cluster.heartbeat(id, { shutDown: true })],
  [1, (cluster, random, id) => cluster.heartbeat(id, { fence: random.below(2) === 0 })],
  [1, (cluster, _random, id) => cluster.heartbeat(id, { offlineLogDirs: [testUuid(id)] })],
  [1, (cluster, _random, id) => cluster.image.brokers.has(id as NodeId) && cluster.fence(id)],
  [2, createTopic],
  [1, (cluster, random) => random.below(3) === 0 && deleteTopic(cluster, random)],
  [1, addPartitions],
  [1, (cluster, random) => cluster.setConfig(4, '', 'min.insync.replicas', String(1 + random.below(3)))],
  [1, setTopicConfig],
  [1, (cluster) => cluster.commit(preferredElections(cluster.context, () => true))],
  [1, allocateProducerIds],
  [2, assignDirectory],
]

/** After these a leader may be one who was not in sync. */
const uncleanSteps: readonly (readonly [weight: number, step: Step])[] = [
  [1, (cluster) => cluster.commit(uncleanElections(cluster.context))],
  [1, (cluster, random) => cluster.request(ApiKey.ElectLeaders, 2, { electionType: random.below(2), topicPartitions: null, timeoutMs: 0 })],
  [2, reassign],
]

const ALTER_ISR_WEIGHT = 8
const weightOf = (weighted: typeof steps): number => weighted.reduce((sum, [weight]) => sum + weight, 0)

function randomStep(cluster: TestCluster, random: Random): Unclean {
  const id = 1 + random.below(BROKERS)
  cluster.nowMs += 1000
  const cleanWeight = weightOf(steps)
  const dice = random.below(cleanWeight + weightOf(uncleanSteps) + ALTER_ISR_WEIGHT)
  if (dice < cleanWeight) {
    pick(steps, dice)(cluster, random, id)
    return 'clean'
  }
  if (dice >= cleanWeight + weightOf(uncleanSteps)) return alterIsr(cluster, random)
  pick(uncleanSteps, dice - cleanWeight)(cluster, random, id)
  return 'unclean'
}

function pick(weighted: typeof steps, dice: number): Step {
  return weighted.flatMap(([weight, step]) => Array.from({ length: weight }, () => step))[dice]!
}

function registerAfterAnyStop(cluster: TestCluster, random: Random, id: number): void {
  cluster.register(id, { ...directories(id), ...(random.below(3) === 0 ? { previousBrokerEpoch: -1 } : {}) })
}

function allocateProducerIds(cluster: TestCluster, _random: Random, id: number): void {
  cluster.request(ApiKey.AllocateProducerIds, 0, { brokerId: id, brokerEpoch: cluster.image.brokers.get(id as NodeId)?.epoch ?? -1 })
}

/** Some brokers have two. */
function directories(id: number): { readonly logDirs: readonly Uuid[] } {
  return { logDirs: id < 3 ? [testUuid(id)] : [testUuid(id), testUuid(id + 10)] }
}

function assignDirectory(cluster: TestCluster, random: Random): void {
  const name = anyTopic(cluster, random)
  if (name === null) return
  const { replicas } = cluster.partition(name)
  const id = replicas[random.below(replicas.length)]!
  const directory = [LOST_DIRECTORY, testUuid(id), testUuid(id), testUuid(id + 10), testUuid(99)][random.below(5)]!
  const topics = [{ topicId: cluster.topic(name).id, partitions: [{ partitionIndex: 0 }] }]
  const brokerEpoch = cluster.image.brokers.get(id)?.epoch ?? -1
  const before = cluster.partition(name)
  cluster.request(ApiKey.AssignReplicasToDirs, 0, { brokerId: id, brokerEpoch, directories: [{ id: directory, topics }] })
  const { leader, isr, elr } = cluster.partition(name)
  if (directory !== LOST_DIRECTORY || cluster.partition(name) === before) return
  assert(![...isr, ...elr].includes(id), 'a lost replica may be elected', { id })
  const mayLead = before.isr.length > 0 ? before.isr : before.elr
  // One that is leaving may lose its leadership in any decision.
  const isLed = before.leader !== null && isActive(cluster.image, before.leader)
  assert(!isLed || (leader !== null && [...mayLead, ...before.elr].includes(leader)), 'nobody leads, or not everything', { id })
}

/** To other brokers, or, one time in three, back. */
function reassign(cluster: TestCluster, random: Random): void {
  const name = anyTopic(cluster, random)
  if (name === null) return
  const wanted = Array.from({ length: BROKERS }, (_, i) => i + 1).filter(() => random.below(2) === 0)
  const replicas = random.below(3) === 0 ? null : wanted
  cluster.request(ApiKey.AlterPartitionReassignments, 1, {
    timeoutMs: 0,
    allowReplicationFactorChange: random.below(4) > 0,
    topics: [{ name, partitions: [{ partitionIndex: 0, replicas }] }],
  })
}

function anyTopic(cluster: TestCluster, random: Random): string | null {
  const names = [...cluster.image.topics.byName.keys()].sort()
  return names.length === 0 ? null : names[random.below(names.length)]!
}

function createTopic(cluster: TestCluster, random: Random): void {
  cluster.request(ApiKey.CreateTopics, 7, {
    topics: [
      {
        name: `topic-${random.below(8)}`,
        numPartitions: 1 + random.below(4),
        replicationFactor: 1 + random.below(4),
        assignments: [],
        configs: random.below(2) === 0 ? [] : [{ name: 'min.insync.replicas', value: '2' }],
      },
    ],
    timeoutMs: 0,
    validateOnly: random.below(8) === 0,
  })
}

function deleteTopic(cluster: TestCluster, random: Random): void {
  const name = anyTopic(cluster, random)
  if (name !== null) cluster.request(ApiKey.DeleteTopics, 5, { topicNames: [name], topics: [], timeoutMs: 0 })
}

function addPartitions(cluster: TestCluster, random: Random): void {
  const name = anyTopic(cluster, random)
  if (name === null || cluster.topic(name).partitions.length > 8) return
  const count = cluster.topic(name).partitions.length + 1
  cluster.request(ApiKey.CreatePartitions, 3, {
    topics: [{ name, count, assignments: null }],
    timeoutMs: 0,
    validateOnly: false,
  })
}

function setTopicConfig(cluster: TestCluster, random: Random): void {
  const name = anyTopic(cluster, random)
  if (name === null) return
  if (random.below(3) === 0)
    cluster.setConfig(2, name, 'unclean.leader.election.enable', ['true', 'false', null][random.below(3)]!)
  else cluster.setConfig(2, name, 'min.insync.replicas', ['1', '2', '3', null][random.below(4)]!)
}

/** Sometimes with a stale epoch, a fenced member or a stranger: all of which must change nothing. */
function alterIsr(cluster: TestCluster, random: Random): Unclean {
  const name = anyTopic(cluster, random)
  if (name === null) return 'clean'
  const { replicas, leader, partitionEpoch } = cluster.partition(name)
  const isr = [
    ...new Set([...(leader === null ? [] : [leader]), ...replicas.filter(() => random.below(2) === 0)]),
  ]
  const before = cluster.image
  const spoiled = random.below(6)
  const overrides =
    [
      { partition: { partitionEpoch: partitionEpoch - 1 } },
      { partition: { leaderEpoch: 1000 } },
      { brokerEpoch: 1_000_000 },
    ][spoiled] ?? {}
  const errorCode = cluster.alterIsr(name, isr, overrides)
  if (spoiled < 3) assert(errorCode !== ErrorCode.NONE, 'a spoiled request succeeded')
  if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.NEW_LEADER_ELECTED)
    assert(cluster.image === before, 'a refused request changed the metadata', { errorCode })
  // It completed a reassignment: the new leader has just come in sync with this very request.
  return errorCode === ErrorCode.NEW_LEADER_ELECTED ? 'unclean' : 'clean'
}

function checkInvariants(cluster: TestCluster, before: IndexedImage, topicIds: Set<Uuid>, unclean: Unclean): void {
  const { image } = cluster
  for (const topic of image.topics.byId.values()) {
    for (const partition of topic.partitions) {
      checkReplicas(cluster, topic, partition)
      const previous = before.topics.byId.get(topic.id)?.partitions[partition.partition]
      if (previous !== undefined) checkChange(partition, previous, unclean)
    }
    assert(before.topics.byId.has(topic.id) || !topicIds.has(topic.id), 'C6: a topic id came back', { id: topic.id })
    topicIds.add(topic.id)
  }
  for (const [id, broker] of image.brokers) {
    const previous = before.brokers.get(id)
    const anew = previous !== undefined && previous.incarnationId !== broker.incarnationId
    if (anew) assert(broker.epoch > previous.epoch, 'C3: a registration without a new epoch', { id })
  }
}

/** C1, C2. */
function checkReplicas({ image, settings }: TestCluster, topic: TopicImage, partition: PartitionRegistration): void {
  const { isr, elr, replicas, leader, addingReplicas, removingReplicas } = partition
  const where = { partition: `${topic.name}-${partition.partition}`, isr, elr, replicas, leader }
  const isFenced = (id: NodeId): boolean => image.brokers.get(id)?.fenced ?? true
  const isReplica = (id: NodeId): boolean => replicas.includes(id)
  const isInOnlineDirectory = (id: NodeId): boolean => hasOnlineDirectory(image.brokers.get(id)!, directoryOf(partition, id))
  assert(!isr.some(isFenced), 'C1: a fenced broker is in sync', where)
  assert(leader === null || !isFenced(leader), 'C1: a fenced broker leads', where)
  assert(isr.every(isInOnlineDirectory), 'C1: in sync in a directory that is not online', where)
  assert([...isr, ...elr].every(isReplica), 'C2: not a replica', where)
  assert([...addingReplicas, ...removingReplicas].every(isReplica), 'C2: reassigned, and not a replica', where)
  assert(!addingReplicas.some((id) => removingReplicas.includes(id)), 'C2: to be added and removed', where)
  assert(!elr.some((id) => isr.includes(id)), 'C2: eligible and in sync', where)
  const minIsr = minInsyncReplicas(image, settings, topic.name)
  assert(isr.length < Math.min(minIsr, replicas.length) || elr.length === 0, 'C2: eligible beside enough in sync', where)
}

/** C4, P14. */
function checkChange(now: PartitionRegistration, previous: PartitionRegistration, unclean: Unclean): void {
  const { leader } = now
  const where = { now, previous }
  assert(now.partitionEpoch >= previous.partitionEpoch, 'C4: the partition epoch fell', where)
  assert(now === previous || now.partitionEpoch > previous.partitionEpoch, 'C4: a change without an epoch', where)
  assert(now.leaderEpoch >= previous.leaderEpoch, 'C4: the leader epoch fell', where)
  if (leader === previous.leader) return
  assert(now.leaderEpoch > previous.leaderEpoch, 'C4: a new leader in an old epoch', where)
  const isDirty = leader !== null && ![...previous.isr, ...previous.elr].includes(leader)
  assert(!isDirty || unclean === 'unclean' || now.leaderRecovery === 'recovering', 'P14: a dirty leader unnoticed', where)
}

/**
 * C5: whoever replays the same log has the same metadata, in steps of any size, from a snapshot or from the
 * beginning.
 */
function checkCopies({ batches, image }: TestCluster): void {
  const encoded = batches.map((records) => jsonRecordCodec.encode(records))
  let oneByOne = emptyIndexedImage
  const delta = new MetadataDelta(emptyIndexedImage)
  for (const [offset, bytes] of encoded.entries()) {
    oneByOne = replayBatch(oneByOne, jsonRecordCodec.decode(bytes), offset, 1)
    for (const record of jsonRecordCodec.decode(bytes)) delta.replay(record, offset)
  }
  const snapshot = imageOf(
    jsonRecordCodec.decode(jsonRecordCodec.encode(recordsOf(image))),
    image.offset,
    image.epoch,
  )
  expect(describeImage(oneByOne)).toEqual(describeImage(image))
  expect(describeImage(delta.finish(batches.length - 1, 1).image)).toEqual(describeImage(image))
  expect(describeImage(snapshot)).toEqual(describeImage(image))
  expect(contentOf(imageOf(recordsOf(snapshot), 0, 0))).toEqual(contentOf(image))
}
