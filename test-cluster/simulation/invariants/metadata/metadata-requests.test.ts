import type { ControllerRequest, MetadataImage, PartitionRegistration } from '@kavka/controller'
import { emptyImage } from '@kavka/controller'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { NodeId, Uuid } from '@kavka/protocol'
import { World } from '../../world/world.ts'
import { ControllerRequestChecks } from './controller-request-checks.ts'
import { UncleanRestartChecks } from './unclean-restart-checks.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid

function partition(change: Partial<Record<keyof PartitionRegistration, unknown>> = {}): PartitionRegistration {
  return {
    partition: 0, replicas: [1, 2, 3], addingReplicas: [], removingReplicas: [], isr: [1, 2], elr: [], lastKnownElr: [], leader: 1, leaderEpoch: 4, partitionEpoch: 7, leaderRecovery: 'recovered', ...change,
  } as unknown as PartitionRegistration
}

/** As far as the checks look. */
function imageOf(registration: PartitionRegistration, brokerEpochs: readonly number[] = [10, 20, 30]): MetadataImage {
  const topic = { id: TOPIC_ID, name: 't', partitions: [registration] }
  return {
    ...emptyImage,
    topics: { byId: new Map([[TOPIC_ID, topic]]), byName: new Map([['t', topic]]) },
    brokers: new Map(brokerEpochs.map((epoch, index) => [index + 1, { id: index + 1, epoch }])),
  } as unknown as MetadataImage
}

describe('C7 UncleanExclusion', () => {
  function checks(): { readonly world: World; readonly restarts: UncleanRestartChecks } {
    const world = new World({ seed: 1 })
    return { world, restarts: new UncleanRestartChecks(world) }
  }

  test('who stopped cleanly keeps its place', () => {
    const { world, restarts } = checks()
    restarts.stoppedCleanly(2 as NodeId, 20)
    restarts.registered(imageOf(partition()), 2 as NodeId, 20)
    expect(world.violation).toBeNull()
  })

  test.each([['in sync', { isr: [1, 2] }], ['eligible', { isr: [1], elr: [2] }]])('who did not is not %s', (_place, change) => {
    const { world, restarts } = checks()
    restarts.registered(imageOf(partition(change)), 2 as NodeId, 20)
    expect(world.violation?.name).toBe('C7 UncleanExclusion')
  })

  test('who died behind the mark of its clean stop keeps its place, if the mark is there', () => {
    for (const isMarkThere of [true, false]) {
      const { world, restarts } = checks()
      restarts.marked(2 as NodeId, 20)
      restarts.died(2 as NodeId, isMarkThere)
      restarts.registered(imageOf(partition()), 2 as NodeId, 20)
      expect(world.violation?.name ?? null).toBe(isMarkThere ? null : 'C7 UncleanExclusion')
    }
  })

  test.each([
    ['it was written before its logs were closed', (restarts: UncleanRestartChecks) => restarts.died(2 as NodeId, true)],
    ['it is of an earlier life', (restarts: UncleanRestartChecks) => {
      restarts.marked(2 as NodeId, 19)
      restarts.died(2 as NodeId, true)
    }],
  ])('a mark does not count when %s', (_why, play) => {
    const { world, restarts } = checks()
    play(restarts)
    restarts.registered(imageOf(partition()), 2 as NodeId, 20)
    expect(world.violation?.name).toBe('C7 UncleanExclusion')
  })

  test('its leader takes it back', () => {
    const { world, restarts } = checks()
    const without = partition({ isr: [1] })
    restarts.registered(imageOf(without), 2 as NodeId, 20)
    restarts.partitionChanged(TOPIC_ID, partition({ isr: [1, 2], partitionEpoch: 8 }), without, 8)
    expect(world.violation).toBeNull()
    expect(world.judged.get('C7 UncleanExclusion')).toBe(2)
  })

  test('its leader takes it back in the step that ends a reassignment, and goes', () => {
    const { world, restarts } = checks()
    const without = partition({ isr: [1], addingReplicas: [2], removingReplicas: [1] })
    restarts.registered(imageOf(without), 2 as NodeId, 20)
    restarts.partitionChanged(TOPIC_ID, partition({ replicas: [2, 3], isr: [2], leader: 2, leaderEpoch: 5, partitionEpoch: 8 }), without, 8)
    expect(world.violation).toBeNull()
  })

  test.each([
    ['becomes eligible', { isr: [1], elr: [2] }],
    ['is elected', { isr: [2], leader: 2, leaderEpoch: 5 }],
    ['comes back with an election', { isr: [2, 3], leader: 3, leaderEpoch: 5 }],
  ])('anything else is flagged: it %s', (_how, change) => {
    const { world, restarts } = checks()
    const without = partition({ isr: [1] })
    restarts.registered(imageOf(without), 2 as NodeId, 20)
    restarts.partitionChanged(TOPIC_ID, partition({ ...change, partitionEpoch: 8 }), without, 8)
    expect(world.violation?.name).toBe('C7 UncleanExclusion')
  })
})

describe('requests to change an in-sync set', () => {
  function answered(change: { brokerEpoch?: number; memberEpoch?: number; partitionEpoch?: number }, errorCode: number, isNewest = true): World {
    const world = new World({ seed: 1 })
    const checks = new ControllerRequestChecks(world, () => imageOf(partition()))
    const body = {
      brokerId: 1, brokerEpoch: change.brokerEpoch ?? 10,
      topics: [{
        topicId: TOPIC_ID,
        partitions: [{
          partitionIndex: 0, leaderEpoch: 4, partitionEpoch: change.partitionEpoch ?? 7,
          newIsrWithEpochs: [{ brokerId: 1, brokerEpoch: 10 }, { brokerId: 2, brokerEpoch: change.memberEpoch ?? 20 }],
        }],
      }],
    }
    const judge = checks.asked({ apiKey: ApiKey.AlterPartition, body } as unknown as ControllerRequest, isNewest)
    judge({ kind: 'answered', body: { errorCode: ErrorCode.NONE, topics: [{ topicId: TOPIC_ID, partitions: [{ partitionIndex: 0, errorCode }] }] } })
    return world
  }

  test('one that fits the metadata is accepted', () => {
    expect(answered({}, ErrorCode.NONE).violation).toBeNull()
  })

  test('an older one is refused', () => {
    expect(answered({ partitionEpoch: 6 }, ErrorCode.INVALID_UPDATE_VERSION).violation).toBeNull()
    expect(answered({ memberEpoch: 19 }, ErrorCode.INELIGIBLE_REPLICA).violation).toBeNull()
  })

  test.each([
    ['of an older partition epoch', { partitionEpoch: 6 }, 'C4 StalePartitionEpochRefused'],
    ['with a member of a former life', { memberEpoch: 19 }, 'C3 StaleBrokerRefused'],
    ['from a former life of the leader', { brokerEpoch: 9 }, 'C3 StaleBrokerRefused'],
  ])('accepting one %s is flagged', (_what, change, predicate) => {
    expect(answered(change, ErrorCode.NONE).violation?.name).toBe(predicate)
  })

  test('nothing is held against a controller that was deposed', () => {
    expect(answered({ partitionEpoch: 6 }, ErrorCode.NONE, false).violation).toBeNull()
  })
})
