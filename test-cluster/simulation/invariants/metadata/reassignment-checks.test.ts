import type { MetadataImage, PartitionRegistration } from '@kavka/controller'
import { emptyImage } from '@kavka/controller'
import { ErrorCode } from '@kavka/protocol'
import type { NodeId, Uuid } from '@kavka/protocol'
import { World } from '../../world/world.ts'
import { ReassignmentChecks } from './reassignment-checks.ts'
import type { PendingReassignment } from './reassignment-checks.ts'
import type { SimulatedNode } from '../../node/simulated-node.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid

function partition(replicas: number[], change: Partial<Record<keyof PartitionRegistration, unknown>> = {}): PartitionRegistration {
  return { partition: 0, replicas, addingReplicas: [], removingReplicas: [], isr: replicas, elr: [], ...change } as unknown as PartitionRegistration
}

/** The checks, of a partition created on nodes 1 and 2. */
function created(): {
  readonly world: World
  readonly checks: ReassignmentChecks
  step(now: PartitionRegistration, before?: PartitionRegistration): string | null
  at(ms: number): void
} {
  const world = new World({ seed: 1 })
  const checks = new ReassignmentChecks(world)
  checks.changed(TOPIC_ID, 't', partition([1, 2]), undefined)
  return {
    world, checks,
    at: (ms) => world.scheduler.advanceSync(ms - world.nowMs),
    step: (now, before = partition([1, 2])) => {
      checks.changed(TOPIC_ID, 't', now, before)
      return world.violation?.name ?? null
    },
  }
}

const moving = partition([3, 1, 2], { addingReplicas: [3], removingReplicas: [1, 2], isr: [1, 2] })

describe('P18: who is to go goes', () => {
  test.each([
    ['when who is to come is in sync', partition([3]), null],
    ['not before', partition([3], { isr: [] }), 'P18 RemovedWhenComplete'],
    ['not while others are still to come', partition([3, 4], { addingReplicas: [4] }), 'P18 RemovedWhenComplete'],
  ])('%s', (_name, now, violation) => {
    expect(created().step(now, moving)).toBe(violation)
  })

  test('a cancellation takes back who was to come, and nobody else', () => {
    expect(created().step(partition([1, 2]), moving)).toBeNull()
    expect(created().step(partition([1], { removingReplicas: [1] }), moving)).toBe('P18 RemovedWhenComplete')
  })

  test.each([
    ['in sync', { isr: [3], elr: [] }],
    ['eligible', { isr: [], elr: [3] }],
  ])('never the only one that is %s', (_name, sets) => {
    expect(created().step(partition([1, 2], { isr: [] }), { ...moving, ...sets } as unknown as PartitionRegistration)).toBe('P18 CandidateStays')
  })
})

describe('P18: a list of reassignments', () => {
  const listed = { topic: 't', partition: 0, replicas: [3, 1, 2], addingReplicas: [3], removingReplicas: [1, 2] }

  test.each([
    ['names what is under way', [listed], 20, null],
    ['lacks it', [], 20, 'P18 ListedAsItIs'],
    ['was asked for before it began', [], 5, null],
    ['names what never was', [{ ...listed, replicas: [4, 1, 2] }], 20, 'P18 ListedAsItIs'],
  ])('%s', (_name, answer, askedMs, violation) => {
    const { world, checks, step, at } = created()
    at(10)
    step(moving)
    at(30)
    checks.listed(answer, askedMs)
    expect(world.violation?.name ?? null).toBe(violation)
  })

  test('does not name what is over', () => {
    const { world, checks, step, at } = created()
    step(moving)
    at(10)
    step(partition([3]), moving)
    at(20)
    checks.listed([listed], 15)
    expect(world.violation?.name).toBe('P18 ListedAsItIs')
  })
})

describe('P18: in the end', () => {
  function imageOf(id: Uuid, replicas: number[]): MetadataImage {
    const topic = { id, name: 't', partitions: [partition(replicas)] }
    return { ...emptyImage, topics: { byId: new Map([[id, topic]]), byName: new Map([['t', topic]]) } } as unknown as MetadataImage
  }

  function ends(replicas: number[], onDisk: readonly number[], ...asked: readonly (readonly [number[] | null, number | null])[]): string | null {
    const { world, checks, at } = created()
    for (const [target, errorCode] of asked) {
      const pending = checks.invoked('t', 0, target as NodeId[] | null)
      at(world.nowMs + 1)
      checks.answered(pending, errorCode)
      at(world.nowMs + 1)
    }
    const replica = { topicId: TOPIC_ID, topicPartition: { topic: 't', partition: 0 } }
    checks.atQuiescence(imageOf(TOPIC_ID, replicas), onDisk.map((id) => ({ id, logs: { replicas: [replica] } }) as unknown as SimulatedNode))
    return world.violation?.name ?? null
  }

  test.each([
    ['are those of the last request', [4, 3], [[[3], ErrorCode.NONE], [[4, 3], ErrorCode.NONE]], null],
    ['are not those of an earlier one', [3], [[[3], ErrorCode.NONE], [[4, 3], ErrorCode.NONE]], 'P18 ArrivesWhereSent'],
    ['are not as they were, once one was granted', [1, 2], [[[3], ErrorCode.NONE]], 'P18 ArrivesWhereSent'],
    ['may be those of one that was never answered', [4], [[[3], ErrorCode.NONE], [[4], null]], null],
    ['are not those of one that was refused', [4], [[[4], ErrorCode.INVALID_REPLICA_ASSIGNMENT]], 'P18 ArrivesWhereSent'],
    ['are as they were when it was canceled, in whatever order', [2, 1], [[[2], ErrorCode.NONE], [null, ErrorCode.NONE]], null],
  ] as const)('the replicas %s', (_name, replicas, asked, violation) => {
    expect(ends([...replicas], [], ...(asked as unknown as [number[] | null, number | null][]))).toBe(violation)
  })

  test.each([
    ['moved, by a request that was meant for the one before', [4], [4], 10, 30, null],
    ['as it was created, when that was done to the one before', [1], [4], 10, 30, null],
    ['nowhere that nobody asked for', [5], [4], 10, 30, 'P18 ArrivesWhereSent'],
    ['as it was created, since the request was answered before', [4], [4], 10, 15, 'P18 ArrivesWhereSent'],
    ['moved, since the request came later', [1], [4], 25, 30, 'P18 ArrivesWhereSent'],
  ] as const)('a topic created at 20 ms with the name of another is %s', (_name, replicas, target, invokedMs, answeredMs, violation) => {
    const next = 'AAAAAAAAAAAAAAAAAAAAAg' as Uuid
    const { world, checks, at } = created()
    let pending: PendingReassignment | null = null
    for (const ms of [10, 15, 20, 25, 30]) {
      at(ms)
      if (ms === 20) {
        checks.deleted(TOPIC_ID)
        checks.changed(next, 't', partition([1]), undefined)
      }
      if (ms === invokedMs) pending = checks.invoked('t', 0, [...target] as NodeId[])
      if (ms === answeredMs) checks.answered(pending!, ErrorCode.NONE)
    }
    checks.atQuiescence(imageOf(next, [...replicas]), [])
    expect(world.violation?.name ?? null).toBe(violation)
  })

  test('nothing is left where the partition is no more', () => {
    expect(ends([1, 2], [1, 2])).toBeNull()
    expect(ends([1, 2], [1, 2, 3])).toBe('P18 NothingIsLeft')
  })
})
