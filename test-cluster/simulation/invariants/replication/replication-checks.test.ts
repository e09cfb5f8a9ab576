import { emptyImage } from '@kavka/controller'
import type { NodeId, Uuid } from '@kavka/protocol'
import { ShadowLog } from '../../node/shadow-log.ts'
import type { ShadowBatch } from '../../node/shadow-log.ts'
import type { ObservedReplica } from '../../node/observed-logs.ts'
import type { SimulatedNode } from '../../node/simulated-node.ts'
import { SimulatedProcess } from '../../world/process.ts'
import { World } from '../../world/world.ts'
import { LeaderAnswerChecks } from './leader-answer-checks.ts'
import { ReplicationChecks } from './replication-checks.ts'
import type { ClusterView } from '../cluster-view.ts'

const NODE = 1 as NodeId
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid
const topicPartition = { topic: 't', partition: 0 }

interface Leader {
  readonly world: World
  readonly process: SimulatedProcess
  readonly checks: ReplicationChecks
  commit(end: number): void
  /** Retention takes what lies below. */
  retain(start: number): void
  /** A follower empties its log to begin there. */
  startOver(start: number): void
  /** All that it holds is gone. */
  lose(): void
}

/** A leader by hand, which holds what it is given. */
function leader(...batches: readonly ShadowBatch[]): Leader {
  const world = new World({ seed: 1 })
  const process = new SimulatedProcess('node-1', world)
  const shadow = new ShadowLog()
  for (const batch of batches) shadow.append(batch)
  const log = { logStartOffset: 0, logEndOffset: shadow.end, corruption: null, durableEndOffset: shadow.end }
  const replica = { nodeId: NODE, topicPartition, topicId: TOPIC_ID, log, shadow } as unknown as ObservedReplica
  const node = { id: NODE, process, logs: { replica: () => replica }, replicas: { partition: () => ({ topicId: TOPIC_ID, role: 'leader', leaderEpoch: 0 }) } }
  const cluster = { nodes: () => [node], node: () => node, image: emptyImage, answers: new LeaderAnswerChecks(world) } as unknown as ClusterView
  const checks = new ReplicationChecks(world, cluster)
  const retain = (start: number): void => {
    log.logStartOffset = start
    checks.segmentsDeleted(replica)
  }
  const commit = (end: number): void => checks.highWatermark(replica, end)
  const startOver = (start: number): void => checks.truncating({ ...replica, shadow: new ShadowLog() }, start, 'start-over')
  return { world, process, checks, commit, retain, startOver, lose: () => shadow.clear() }
}

function batch(base: number, producerEpoch: number, baseSequence: number): ShadowBatch {
  return { base, last: base, epoch: 0, crc: base, producerId: 7, producerEpoch, baseSequence, count: 1, sizeBytes: 100, timestampMs: 0 }
}

test('T1: a sequence goes on, and starts again with an epoch', () => {
  const { world, commit } = leader(batch(0, 0, 0), batch(1, 0, 1), batch(2, 1, 0))
  commit(3)
  expect(world.violation).toBeNull()
})

test.each([
  ['T1 SequenceContiguous', 'a gap', [batch(0, 0, 0), batch(1, 0, 2)]],
  ['T1 SequenceContiguous', 'the same again', [batch(0, 0, 0), batch(1, 0, 0)]],
  ['T1 SequenceContiguous', 'an epoch that begins in the middle', [batch(0, 0, 0), batch(1, 1, 1)]],
  ['T3 ProducerEpochMonotone', 'an epoch of the past', [batch(0, 1, 0), batch(1, 0, 1)]],
])('%s flags %s', (predicate, _what, batches) => {
  const { world, commit } = leader(...batches)
  commit(2)
  expect(world.violation?.name).toBe(predicate)
})

describe('what retention has taken', () => {
  const gap = [batch(0, 0, 0), batch(1, 0, 1), batch(2, 0, 3)]

  test('is not known any more by who was filled since: a producer may seem to begin in the middle', () => {
    const { world, commit, retain } = leader(...gap)
    commit(2)
    retain(2)
    commit(3)
    expect(world.violation).toBeNull()
  })

  test('nor is what was deleted, by who has begun anew behind it', () => {
    const { world, commit, startOver } = leader(...gap)
    commit(2)
    startOver(2)
    commit(3)
    expect(world.violation).toBeNull()
  })

  test('does not excuse a gap behind what is left', () => {
    const { world, commit, retain } = leader(...gap)
    commit(2)
    retain(1)
    commit(3)
    expect(world.violation?.name).toBe('T1 SequenceContiguous')
  })

  test('was held by who has deleted it', () => {
    const { world, checks, commit, retain, lose } = leader(batch(0, 0, 0))
    commit(1)
    retain(1)
    lose()
    checks.acknowledged(NODE, topicPartition, TOPIC_ID, { base: 0, crc: 0, count: 1 })
    expect(world.violation).toBeNull()
  })

  test('is not what a replica lacks above its log start', () => {
    const { world, checks, commit, lose } = leader(batch(0, 0, 0))
    commit(1)
    lose()
    checks.acknowledged(NODE, topicPartition, TOPIC_ID, { base: 0, crc: 0, count: 1 })
    expect(world.violation?.name).toBe('P9 AckRule')
  })

  test('lay below what is committed', () => {
    const { world, commit, retain } = leader(...gap)
    commit(1)
    retain(2)
    expect(world.violation?.name).toBe('P17 LogStart')
  })
})

describe('S5 NoAckAfterFailedSync', () => {
  const acked = { base: 0, crc: 0, count: 1 }

  test('an acknowledgment of what is committed', () => {
    const { world, checks, commit } = leader(batch(0, 0, 0))
    commit(1)
    checks.acknowledged(NODE, topicPartition, TOPIC_ID, acked)
    expect(world.violation).toBeNull()
    expect(world.judged.get('S5 NoAckAfterFailedSync')).toBe(1)
  })

  test('one by a process whose disk has failed a sync is flagged', () => {
    const { world, process, checks, commit } = leader(batch(0, 0, 0))
    commit(1)
    checks.syncFailed(process)
    checks.acknowledged(NODE, topicPartition, TOPIC_ID, acked)
    expect(world.violation?.name).toBe('S5 NoAckAfterFailedSync')
  })
})

describe('what was durable when a process ended', () => {
  /** Lives of one node, each with what it has synced of the same two batches by its end. */
  function lives(...durableEnds: readonly number[]): World {
    const world = new World({ seed: 1 })
    const cluster = { nodes: () => [], node: () => null, image: emptyImage, answers: new LeaderAnswerChecks(world) } as unknown as ClusterView
    const checks = new ReplicationChecks(world, cluster)
    for (const { crc } of [batch(0, 0, 0), batch(1, 0, 1)]) checks.content.appending(TOPIC_ID, 0, crc)
    for (const durableEndOffset of durableEnds) {
      const shadow = new ShadowLog()
      for (const one of [batch(0, 0, 0), batch(1, 0, 1)]) shadow.append(one)
      const log = { logStartOffset: 0, logEndOffset: 2, corruption: null, durableEndOffset, activeProducers: [{ producerId: 7, lastSequence: 1 }] }
      const replica = { nodeId: NODE, topicPartition, topicId: TOPIC_ID, log, shadow } as unknown as ObservedReplica
      checks.opened(replica)
      checks.disks.died({ id: NODE, logs: { replicas: [replica] } } as unknown as SimulatedNode)
    }
    const log = { logStartOffset: 0, logEndOffset: 0, corruption: null, activeProducers: [] }
    checks.opened({ nodeId: NODE, topicPartition, topicId: TOPIC_ID, log, shadow: new ShadowLog() } as unknown as ObservedReplica)
    return world
  }

  test('is missed by the next', () => {
    expect(lives(2).violation?.name).toBe('S2 RecoveryKeepsSynced')
  })

  test('is missed by the one after that, too, though its successor had synced nothing of it yet', () => {
    expect(lives(2, 0).violation?.name).toBe('S2 RecoveryKeepsSynced')
  })

  test('what never was is not missed', () => {
    expect(lives(0, 0).violation).toBeNull()
  })
})

describe('P13 OffsetDensity', () => {
  function appendedAt(firstSegmentOffset: number, logStartOffset: number): string | undefined {
    const { world, checks } = leader()
    const log = { firstSegmentOffset, logStartOffset, logEndOffset: 7, segmentCount: 1 }
    checks.appended({ nodeId: NODE, topicPartition, topicId: TOPIC_ID, log, shadow: new ShadowLog() } as unknown as ObservedReplica, 0, 'follower')
    return world.violation?.name
  }

  test('a log start lies in the files', () => {
    expect([appendedAt(5, 5), appendedAt(0, 5)]).toEqual([undefined, undefined])
  })

  test('an append that threw away what could be asked for is flagged', () => {
    expect(appendedAt(5, 0)).toBe('P13 OffsetDensity')
  })
})

describe('what a replica had that was taken away', () => {
  function scene(isr: readonly number[]) {
    const world = new World({ seed: 1 })
    const known = { leaderState: { isrState: { isr }, effectiveMinIsr: 1 }, topicId: TOPIC_ID, role: 'leader', leaderEpoch: 0 }
    const node = { id: NODE, logs: { replica: (): ObservedReplica | null => null }, replicas: { partition: () => known } }
    const cluster = { nodes: () => [node], node: () => node, image: emptyImage, answers: new LeaderAnswerChecks(world) } as unknown as ClusterView
    const checks = new ReplicationChecks(world, cluster)
    const shadow = new ShadowLog()
    shadow.append(batch(0, 0, 0))
    const log = { logStartOffset: 0, logEndOffset: 1, corruption: null, durableEndOffset: 1 }
    const replica = { nodeId: 2 as NodeId, topicPartition, topicId: TOPIC_ID, log, shadow } as unknown as ObservedReplica
    checks.highWatermark(replica, 1)
    const acknowledge = () => checks.acknowledged(NODE, topicPartition, TOPIC_ID, { base: 0, crc: 0, count: 1 })
    return { world, checks, replica, node, acknowledge }
  }

  /** Acknowledged when only that replica had it; `isr`: as the leader knows it. */
  function acknowledgedBy(isr: readonly number[]): string | undefined {
    const { world, checks, replica, acknowledge } = scene(isr)
    checks.forgotten(replica)
    acknowledge()
    return world.violation?.name
  }

  test('counts for a leader that has not heard of it', () => {
    expect(acknowledgedBy([1, 2])).toBeUndefined()
  })

  test('does not count for one that has', () => {
    expect(acknowledgedBy([1])).toBe('P9 AckRule')
  })

  test('is acknowledged again to a producer that asks again', () => {
    const { world, checks, replica, node, acknowledge } = scene([1])
    node.logs.replica = () => replica
    acknowledge()
    node.logs.replica = () => null
    checks.forgotten(replica)
    acknowledge()
    expect(world.violation).toBeNull()
  })
})
