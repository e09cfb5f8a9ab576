import { ApiKey, ErrorCode, ZERO_UUID } from '@kavka/protocol'
import type { BrokerRegistrationResponse, NodeId } from '@kavka/protocol'
import { CLUSTER_ID, TestCluster, testUuid } from '../../testing/test-cluster.ts'

function registration(overrides: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    brokerId: 1,
    clusterId: CLUSTER_ID,
    incarnationId: testUuid(1),
    listeners: [{ name: 'PLAINTEXT', host: 'h', port: 1, securityProtocol: 0 }],
    features: [
      { name: 'metadata.version', minSupportedVersion: 1, maxSupportedVersion: 40 },
      { name: 'eligible.leader.replicas.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
    ],
    rack: 'r1',
    isMigratingZkBroker: false,
    logDirs: [testUuid(9)],
    previousBrokerEpoch: -1,
    ...overrides,
  }
}

function register(
  cluster: TestCluster,
  overrides?: Readonly<Record<string, unknown>>,
): BrokerRegistrationResponse {
  return cluster.request(ApiKey.BrokerRegistration, 4, registration(overrides))
}

describe('registration', () => {
  test('the offset of the record is the epoch; the broker starts fenced', () => {
    const cluster = new TestCluster()
    expect(register(cluster)).toMatchObject({ errorCode: ErrorCode.NONE, brokerEpoch: cluster.image.offset })
    expect(cluster.image.brokers.get(1 as NodeId)).toMatchObject({
      fenced: true,
      epoch: cluster.image.offset,
      rack: 'r1',
    })
  })

  test.each([
    ['another cluster', { clusterId: 'other' }, ErrorCode.INCONSISTENT_CLUSTER_ID],
    ['a feature it lacks', { features: [] }, ErrorCode.UNSUPPORTED_VERSION],
    [
      'an impossible range',
      { features: [{ name: 'x', minSupportedVersion: 3, maxSupportedVersion: 2 }] },
      ErrorCode.INVALID_REGISTRATION,
    ],
    ['a directory twice', { logDirs: [testUuid(2), testUuid(2)] }, ErrorCode.INVALID_REGISTRATION],
    ['a reserved directory id', { logDirs: [ZERO_UUID] }, ErrorCode.INVALID_REGISTRATION],
    [
      'an unknown security protocol',
      { listeners: [{ name: 'X', host: 'h', port: 1, securityProtocol: 9 }] },
      ErrorCode.INVALID_REQUEST,
    ],
    ['a negative id', { brokerId: -1 }, ErrorCode.INVALID_REQUEST],
  ])('refuses %s', (_, overrides, errorCode) => {
    const cluster = new TestCluster()
    expect(register(cluster, overrides)).toEqual({ errorCode, brokerEpoch: -1 })
    expect(cluster.image.brokers.size).toBe(0)
  })

  test('refuses the directory of another broker', () => {
    const cluster = new TestCluster()
    register(cluster)
    expect(register(cluster, { brokerId: 2 }).errorCode).toBe(ErrorCode.INVALID_REGISTRATION)
  })

  test('refuses a second incarnation while the first one is alive, until its session times out', () => {
    const cluster = new TestCluster()
    const first = register(cluster)
    const elsewhere = {
      incarnationId: testUuid(2),
      listeners: [{ name: 'PLAINTEXT', host: 'other', port: 1, securityProtocol: 0 }],
    }
    cluster.nowMs = 8_999
    expect(register(cluster, elsewhere).errorCode).toBe(ErrorCode.DUPLICATE_BROKER_REGISTRATION)
    cluster.nowMs = 9_000
    const second = register(cluster, elsewhere)
    expect(second.errorCode).toBe(ErrorCode.NONE)
    expect(second.brokerEpoch).toBeGreaterThan(first.brokerEpoch)
  })

  test('a restarted process at the same address need not wait, unless the old one has its liveness stream open', () => {
    const cluster = new TestCluster()
    const { brokerEpoch } = register(cluster)
    cluster.sessions.streamOpened(1 as NodeId, brokerEpoch, 0)
    expect(register(cluster, { incarnationId: testUuid(2) }).errorCode).toBe(
      ErrorCode.DUPLICATE_BROKER_REGISTRATION,
    )
    cluster.sessions.streamLost(1 as NodeId, brokerEpoch)
    expect(register(cluster, { incarnationId: testUuid(2) }).errorCode).toBe(ErrorCode.NONE)
  })

  test('the same incarnation again keeps its epoch and state', () => {
    const cluster = new TestCluster().start(2)
    const first = register(cluster)
    cluster.heartbeat(1)
    expect(register(cluster)).toEqual(first)
    expect(cluster.image.brokers.get(1 as NodeId)!.fenced).toBe(false)
  })

  test('a new incarnation takes over from an unfenced one: out of the in-sync set', () => {
    const cluster = new TestCluster().start(1, 2)
    cluster.createTopic('t', [[1, 2]])
    cluster.nowMs = 10_000
    expect(cluster.register(1).errorCode).toBe(ErrorCode.NONE)
    expect(cluster.partition('t')).toMatchObject({ leader: 2, isr: [2] })
  })
})

describe('heartbeat', () => {
  test('knows brokers and their epochs', () => {
    const cluster = new TestCluster()
    expect(cluster.heartbeat(1).errorCode).toBe(ErrorCode.BROKER_ID_NOT_REGISTERED)
    cluster.register(1)
    expect(cluster.heartbeat(1, { epoch: 0 }).errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH)
  })

  test('unfences once the broker has replayed its own registration', () => {
    const cluster = new TestCluster()
    const { brokerEpoch } = cluster.register(1)
    expect(cluster.heartbeat(1, { offset: brokerEpoch - 1 })).toMatchObject({
      isCaughtUp: false,
      isFenced: true,
    })
    expect(cluster.heartbeat(1, { offset: brokerEpoch, fence: true })).toMatchObject({
      isCaughtUp: true,
      isFenced: true,
    })
    expect(cluster.heartbeat(1, { offset: brokerEpoch })).toMatchObject({
      isCaughtUp: true,
      isFenced: false,
      shouldShutDown: false,
    })
  })

  test('unfences once the broker has replayed what fenced it: until then it takes itself for a leader', () => {
    const cluster = new TestCluster().start(1, 2)
    cluster.createTopic('t', [[1, 2]])
    const fencedAt = cluster.image.offset + 1
    cluster.sessions.fenced(1 as NodeId, fencedAt)
    cluster.fence(1)
    expect(cluster.heartbeat(1, { offset: fencedAt - 1 })).toMatchObject({ isCaughtUp: false, isFenced: true })
    expect(cluster.heartbeat(1, { offset: fencedAt })).toMatchObject({ isCaughtUp: true, isFenced: false })
  })

  test('a new active controller asks fenced brokers for all that there was when it began', () => {
    const cluster = new TestCluster().start(1, 2)
    cluster.fence(1)
    cluster.createTopic('t', [[2]])
    cluster.sessions.reset(cluster.image, cluster.nowMs)
    const { offset } = cluster.image
    expect(cluster.heartbeat(1, { offset: offset - 1 })).toMatchObject({ isCaughtUp: false, isFenced: true })
    expect(cluster.heartbeat(1, { offset })).toMatchObject({ isCaughtUp: true, isFenced: false })
  })

  test('silent brokers expire, and only those', () => {
    const cluster = new TestCluster().start(1, 2)
    cluster.register(3)
    cluster.nowMs = 5_000
    cluster.heartbeat(2)
    cluster.nowMs = 9_000
    expect(cluster.sessions.expired(cluster.image, cluster.nowMs)).toEqual([1])
  })
})

test('unregistering takes the broker out of everything', () => {
  const cluster = new TestCluster().start(1, 2)
  cluster.createTopic('t', [[1, 2]])
  const unregister = (id: number): { errorCode: number } =>
    cluster.request(ApiKey.UnregisterBroker, 0, { brokerId: id })
  expect(unregister(7).errorCode).toBe(ErrorCode.BROKER_ID_NOT_REGISTERED)
  expect(unregister(1).errorCode).toBe(ErrorCode.NONE)
  expect(cluster.image.brokers.has(1 as NodeId)).toBe(false)
  expect(cluster.partition('t')).toMatchObject({ leader: 2, isr: [2], replicas: [1, 2] })
})

test('producer ids come in blocks that never overlap', () => {
  const cluster = new TestCluster().start(1)
  const allocate = (epoch: number): object =>
    cluster.request(ApiKey.AllocateProducerIds, 0, { brokerId: 1, brokerEpoch: epoch })
  const { epoch } = cluster.image.brokers.get(1 as NodeId)!
  expect(allocate(epoch)).toMatchObject({ errorCode: 0, producerIdStart: 0, producerIdLen: 1000 })
  expect(allocate(epoch)).toMatchObject({ errorCode: 0, producerIdStart: 1000, producerIdLen: 1000 })
  expect(allocate(epoch + 1)).toMatchObject({ errorCode: ErrorCode.STALE_BROKER_EPOCH })
  expect(cluster.request(ApiKey.AllocateProducerIds, 0, { brokerId: 5, brokerEpoch: 0 })).toMatchObject({
    errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED,
  })
})

test('controllers register with their endpoints', () => {
  const cluster = new TestCluster()
  const body = {
    controllerId: 100,
    incarnationId: testUuid(3),
    zkMigrationReady: false,
    listeners: [{ name: 'CONTROLLER', host: 'c', port: 9093, securityProtocol: 0 }],
    features: [
      { name: 'metadata.version', minSupportedVersion: 30, maxSupportedVersion: 30 },
      { name: 'eligible.leader.replicas.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
    ],
  }
  const register = (change: object): { errorCode: number } =>
    cluster.request(ApiKey.ControllerRegistration, 0, { ...body, ...change })
  expect(register({ zkMigrationReady: true }).errorCode).toBe(ErrorCode.INVALID_REQUEST)
  expect(register({ features: [] }).errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
  expect(register({}).errorCode).toBe(ErrorCode.NONE)
  expect(cluster.image.controllers.get(100 as NodeId)!.endpoints[0]).toMatchObject({
    listener: 'CONTROLLER',
    port: 9093,
  })
})
