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

function randomStep(cluster: TestCluster, random: Random): Unclean {
  const id = 1 + random.below(BROKERS)
  cluster.nowMs += 1000
  const known = cluster.image.brokers.get(id as NodeId)
  switch (random.below(31)) {
    case 0:
      return done(cluster.register(id, { ...directories(id), ...(random.below(3) === 0 ? { previousBrokerEpoch: -1 } : {}) }))
    case 1:
      return random.below(2) === 0 ? done(cluster.heartbeat(id, { shutDown: true })) : 'clean'
    case 2:
      return done(cluster.heartbeat(id, { fence: random.below(2) === 0 }))
    case 13:
    case 14:
    case 15:
      return done(cluster.heartbeat(id))
    case 16:
      return done(cluster.register(id, directories(id)))
    case 17:
      return done(createTopic(cluster, random))
    case 3:
      return known === undefined ? 'clean' : done(cluster.fence(id))
    case 4:
      return done(createTopic(cluster, random))
    case 5:
      return random.below(3) === 0 ? done(deleteTopic(cluster, random)) : 'clean'
    case 6:
      return done(addPartitions(cluster, random))
    case 7:
      return done(cluster.setConfig(4, '', 'min.insync.replicas', String(1 + random.below(3))))
    case 8:
      return done(setTopicConfig(cluster, random))
    case 9:
      return done(cluster.commit(preferredElections(cluster.context, () => true)))
    case 10: {
      cluster.commit(uncleanElections(cluster.context))
      return 'unclean'
    }
    case 11: {
      cluster.request(ApiKey.ElectLeaders, 2, {
        electionType: random.below(2),
        topicPartitions: null,
        timeoutMs: 0,
      })
      return 'unclean'
    }
    case 12:
      return done(
        cluster.request(ApiKey.AllocateProducerIds, 0, { brokerId: id, brokerEpoch: known?.epoch ?? -1 }),
      )
    case 26:
    case 27:
      return done(assignDirectory(cluster, random))
    case 28:
      return done(cluster.heartbeat(id, { offlineLogDirs: [testUuid(id)] }))
    case 29:
    case 30: {
      reassign(cluster, random)
      return 'unclean'
    }
    default:
      return alterIsr(cluster, random)
  }

  function done(_: unknown): Unclean {
    // Last known leaders and topics that allow it are elected uncleanly in any step.
    return 'clean'
  }
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

function checkInvariants(
  cluster: TestCluster,
  before: IndexedImage,
  topicIds: Set<Uuid>,
  unclean: Unclean,
): void {
  const { image, settings } = cluster
  const isFenced = (id: NodeId): boolean => image.brokers.get(id)?.fenced ?? true
  for (const topic of image.topics.byId.values()) {
    const minIsr = minInsyncReplicas(image, settings, topic.name)
    for (const partition of topic.partitions) {
      const { isr, elr, replicas, leader } = partition
      const where = { partition: `${topic.name}-${partition.partition}`, isr, elr, replicas, leader }
      assert(!isr.some(isFenced), 'C1: a fenced broker is in sync', where)
      assert(leader === null || !isFenced(leader), 'C1: a fenced broker leads', where)
      assert(
        [...isr, ...elr].every((id) => replicas.includes(id)),
        'C2: not a replica',
        where,
      )
      const { addingReplicas, removingReplicas } = partition
      assert([...addingReplicas, ...removingReplicas].every((id) => replicas.includes(id)), 'C2: reassigned, and not a replica', where)
      assert(!addingReplicas.some((id) => removingReplicas.includes(id)), 'C2: to be added and removed', where)
      assert(isr.every((id) => hasOnlineDirectory(image.brokers.get(id)!, directoryOf(partition, id))), 'C1: in sync in a directory that is not online', where)
      assert(!elr.some((id) => isr.includes(id)), 'C2: eligible and in sync', where)
      assert(
        isr.length < Math.min(minIsr, replicas.length) || elr.length === 0,
        'C2: eligible beside enough in sync',
        where,
      )
      const previous = before.topics.byId.get(topic.id)?.partitions[partition.partition]
      if (previous === undefined) continue
      assert(partition.partitionEpoch >= previous.partitionEpoch, 'C4: the partition epoch fell', where)
      assert(
        partition === previous || partition.partitionEpoch > previous.partitionEpoch,
        'C4: a change without an epoch',
        where,
      )
      assert(partition.leaderEpoch >= previous.leaderEpoch, 'C4: the leader epoch fell', where)
      if (leader !== previous.leader)
        assert(partition.leaderEpoch > previous.leaderEpoch, 'C4: a new leader in an old epoch', where)
      const dirty =
        leader !== null && leader !== previous.leader && ![...previous.isr, ...previous.elr].includes(leader)
      if (dirty)
        assert(
          unclean === 'unclean' || partition.leaderRecovery === 'recovering',
          'P14: a dirty leader unnoticed',
          where,
        )
    }
    assert(before.topics.byId.has(topic.id) || !topicIds.has(topic.id), 'C6: a topic id came back', {
      id: topic.id,
    })
    topicIds.add(topic.id)
  }
  for (const [id, broker] of image.brokers) {
    const previous = before.brokers.get(id)
    const anew = previous !== undefined && previous.incarnationId !== broker.incarnationId
    if (anew) assert(broker.epoch > previous.epoch, 'C3: a registration without a new epoch', { id })
  }
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
