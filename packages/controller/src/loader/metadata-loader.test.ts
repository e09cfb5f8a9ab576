import { assert, seededRandom, silentLogger } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Offset, Uuid } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import type { MetadataChanges, MetadataImage, MetadataPublisher } from '../metadata/image.ts'
import { emptyImage } from '../metadata/image.ts'
import type { IndexedImage } from '../metadata/partition-index.ts'
import type { MetadataRecord } from '../metadata/records.ts'
import type { Entry } from '../raft/messages.ts'
import { contentOf, describeImage } from '../testing/describe-image.ts'
import { jsonRecordCodec } from '../testing/json-record-codec.ts'
import { TestCluster, testUuid } from '../testing/test-cluster.ts'
import { MetadataLoader } from './metadata-loader.ts'

interface Step {
  readonly image: MetadataImage
  readonly changes: MetadataChanges
  readonly previous: MetadataImage
}

class Recorder implements MetadataPublisher {
  readonly steps: Step[] = []

  publish(image: MetadataImage, changes: MetadataChanges, previous: MetadataImage): void {
    assert(previous === (this.steps.at(-1)?.image ?? emptyImage), 'a publisher missed a step')
    this.steps.push({ image, changes, previous })
  }
}

function loaderUnderTest(): { loader: MetadataLoader; scheduler: VirtualScheduler; recorder: Recorder } {
  const scheduler = new VirtualScheduler()
  const loader = new MetadataLoader({ codec: jsonRecordCodec, scheduler, log: silentLogger })
  const recorder = new Recorder()
  loader.addPublisher(recorder)
  return { loader, scheduler, recorder }
}

function entry(offset: number, ...records: readonly MetadataRecord[]): Entry {
  return {
    offset: offset as Offset,
    epoch: 1 as LeaderEpoch,
    kind: 'data',
    payload: jsonRecordCodec.encode(records),
  }
}

function topic(seed: number): MetadataRecord {
  return { kind: 'topic', topicId: testUuid(seed), name: `topic-${seed}` }
}

function removal(seed: number): MetadataRecord {
  return { kind: 'remove-topic', topicId: testUuid(seed) }
}

test('a burst of commits is one step; what came and went in it is not told', () => {
  const { loader, scheduler, recorder } = loaderUnderTest()
  loader.onCommitted([
    { ...entry(0), kind: 'leader-change', payload: new Uint8Array(4) },
    entry(1, topic(1), topic(2)),
  ])
  loader.onCommitted([entry(2, topic(3), removal(1))])
  expect(loader.image.offset).toBe(2)
  expect(recorder.steps.length).toBe(0)
  scheduler.advanceSync(0)
  expect(recorder.steps.length).toBe(1)
  loader.onCommitted([entry(3, removal(2))])
  loader.onCommitted([entry(4, topic(4))])
  scheduler.advanceSync(0)
  const { changes, image, previous } = recorder.steps[1]!
  expect([image.offset, previous.offset]).toEqual([4, 2])
  expect([...changes.topicsDeleted.values()].map(({ name }) => name)).toEqual(['topic-2'])
  expect([...changes.topicsCreatedOrChanged]).toEqual([testUuid(4)])
})

test('a later publisher begins with everything', () => {
  const { loader, scheduler } = loaderUnderTest()
  loader.onCommitted([entry(0, topic(1), { kind: 'feature-level', name: 'f', level: 2 })])
  scheduler.advanceSync(0)
  const late = new Recorder()
  loader.addPublisher(late)
  scheduler.advanceSync(0)
  expect(late.steps.length).toBe(1)
  expect([...late.steps[0]!.changes.topicsCreatedOrChanged]).toEqual([testUuid(1)])
  expect(late.steps[0]!.changes.featuresChanged).toBe(true)
})

test('a publisher that throws is counted and does not stop the others; a broken invariant does', () => {
  const scheduler = new VirtualScheduler()
  const loader = new MetadataLoader({ codec: jsonRecordCodec, scheduler, log: silentLogger })
  const recorder = new Recorder()
  let fault: Error = new Error('disk')
  loader.addPublisher({
    publish: () => {
      throw fault
    },
  })
  loader.addPublisher(recorder)
  loader.onCommitted([entry(0, topic(1))])
  scheduler.advanceSync(0)
  expect([loader.publisherErrors, recorder.steps.length]).toEqual([1, 1])
  try {
    assert(false, 'broken')
  } catch (error) {
    fault = error as Error
  }
  loader.onCommitted([entry(1, topic(2))])
  expect(() => scheduler.advanceSync(0)).toThrow('broken')
})

test('an entry is never replayed twice', () => {
  const { loader } = loaderUnderTest()
  loader.onCommitted([entry(0, topic(1))])
  expect(() => loader.onCommitted([entry(0, topic(2))])).toThrow('replayed once')
})

test('a snapshot loads to an equal image, and says what is different', () => {
  const cluster = new TestCluster().start(1, 2, 3)
  cluster.createTopic(
    'kept',
    [
      [1, 2],
      [2, 3],
    ],
    { 'retention.ms': '1' },
  )
  const { loader: source } = loaderUnderTest()
  for (const [offset, records] of cluster.batches.entries()) source.onCommitted([entry(offset, ...records)])
  expect(describeImage(source.image)).toEqual(describeImage(cluster.image))

  const { loader: target, scheduler, recorder } = loaderUnderTest()
  target.onCommitted([entry(0, topic(1))])
  scheduler.advanceSync(0)
  const end = cluster.batches.length
  target.onSnapshot(source.snapshotState(), end as Offset, 1 as LeaderEpoch)
  scheduler.advanceSync(0)
  expect(contentOf(target.image)).toEqual(contentOf(source.image))
  expect(target.image.offset).toBe(end - 1)
  const { changes } = recorder.steps[1]!
  expect([...changes.topicsDeleted.keys()]).toEqual([testUuid(1)])
  expect([...changes.topicsCreatedOrChanged]).toEqual([cluster.topic('kept').id])
  expect([...changes.brokersChanged]).toEqual([1, 2, 3])
  expect([...changes.configsChanged].sort()).toEqual(['2:kept', '4:'])
  target.onCommitted([entry(end, topic(5))])
  expect(target.image.topics.byName.has('topic-5')).toBe(true)
})

/**
 * A model of a broker: keeps by the changes alone what the images say, however commits are cut into turns.
 */
test('changes say everything: a follower of them has what the image has', () => {
  const random = seededRandom(3)
  const { loader, scheduler, recorder } = loaderUnderTest()
  const mirror = new Map<Uuid, unknown>()
  const cluster = new TestCluster().start(1, 2)
  let sent = 0
  for (let i = 0; i < 200; i++) {
    const name = `t${random.below(10)}`
    if (!cluster.image.topics.byName.has(name)) cluster.createTopic(name, [[1, 2]])
    else if (random.below(2) === 0)
      cluster.commit([{ kind: 'remove-topic', topicId: cluster.topic(name).id }])
    else cluster.alterIsr(name, cluster.partition(name).isr.length === 1 ? [1, 2] : [1])
    const entries = cluster.batches.slice(sent).map((records, at) => entry(sent + at, ...records))
    sent = cluster.batches.length
    loader.onCommitted(entries)
    const stepsBefore = recorder.steps.length
    if (random.below(3) > 0) continue
    scheduler.advanceSync(0)
    if (recorder.steps.length === stepsBefore) continue
    const { changes, image } = recorder.steps.at(-1)!
    for (const id of changes.topicsDeleted.keys()) expect(mirror.delete(id)).toBe(true)
    for (const id of changes.topicsCreatedOrChanged) mirror.set(id, image.topics.byId.get(id))
    expect(new Map(image.topics.byId)).toEqual(mirror)
  }
})

test('the observer hears of roles and of every commit before publishers do', () => {
  const { loader, recorder } = loaderUnderTest()
  const heard: string[] = []
  loader.observe({
    onRoleChange: ({ kind }) => heard.push(kind),
    onReplayed: (image: IndexedImage) => heard.push(`${image.offset}/${recorder.steps.length}`),
  })
  loader.onRoleChange({ kind: 'leader', epoch: 1 as LeaderEpoch, leaderId: 1 as NodeId })
  loader.onCommitted([entry(0, topic(1))])
  expect(heard).toEqual(['leader', '0/0'])
})
