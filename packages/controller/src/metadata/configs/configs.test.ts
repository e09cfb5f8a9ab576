import { ApiKey, ErrorCode } from '@kavka/protocol'
import { resourceKey } from '../image.ts'
import type { ConfigResourceType } from '../image.ts'
import { TestCluster } from '../../testing/test-cluster.ts'
import { groupConfigKeys, validateGroupConfig } from './group-config-keys.ts'

const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]
type Step = readonly [name: string, operation: number, value: string | null]

function cluster(): TestCluster {
  const made = new TestCluster().start(1)
  made.createTopic('t', [[1]], { 'retention.ms': '5' })
  return made
}

function alter(
  on: TestCluster,
  resourceType: number,
  resourceName: string,
  ...steps: readonly Step[]
): number {
  const configs = steps.map(([name, configOperation, value]) => ({ name, configOperation, value }))
  const body = { resources: [{ resourceType, resourceName, configs }], validateOnly: false }
  return on.request<{ responses: { errorCode: number }[] }>(ApiKey.IncrementalAlterConfigs, 1, body)
    .responses[0]!.errorCode
}

function overrides(on: TestCluster, type: ConfigResourceType, name: string): Record<string, string> {
  return Object.fromEntries(on.image.configs.get(resourceKey(type, name)) ?? [])
}

describe('IncrementalAlterConfigs', () => {
  test.each<[string, number, string, Step, number]>([
    ['a topic that is not there', 2, 'u', ['retention.ms', SET!, '1'], ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ['an unknown topic key', 2, 't', ['no.such', SET!, '1'], ErrorCode.INVALID_CONFIG],
    ['a bad value', 2, 't', ['retention.ms', SET!, 'x'], ErrorCode.INVALID_CONFIG],
    ['a null value', 2, 't', ['retention.ms', SET!, null], ErrorCode.INVALID_REQUEST],
    ['an unknown operation', 2, 't', ['retention.ms', 4, '1'], ErrorCode.INVALID_REQUEST],
    ['APPEND to a number', 2, 't', ['retention.ms', APPEND!, '1'], ErrorCode.INVALID_CONFIG],
    ['a broker that is no number', 4, 'b', ['log.cleaner.threads', SET!, '2'], ErrorCode.INVALID_REQUEST],
    [
      'a broker that is not there',
      4,
      '9',
      ['log.cleaner.threads', SET!, '2'],
      ErrorCode.BROKER_ID_NOT_REGISTERED,
    ],
    ['a read-only broker key', 4, '1', ['num.partitions', SET!, '2'], ErrorCode.INVALID_CONFIG],
    [
      'min.insync.replicas of one broker',
      4,
      '1',
      ['min.insync.replicas', SET!, '2'],
      ErrorCode.INVALID_CONFIG,
    ],
    ['no min.insync.replicas', 4, '', ['min.insync.replicas', DELETE!, null], ErrorCode.INVALID_CONFIG],
    ['a logger', 8, '1', ['kafka', SET!, 'DEBUG'], ErrorCode.INVALID_REQUEST],
    ['an unknown resource type', 3, 'x', ['a', SET!, 'b'], ErrorCode.INVALID_REQUEST],
    ['all groups', 32, '', ['consumer.session.timeout.ms', SET!, '45000'], ErrorCode.INVALID_REQUEST],
    ['an unknown group key', 32, 'g', ['no.such', SET!, '1'], ErrorCode.INVALID_CONFIG],
    [
      'a group value out of range',
      32,
      'g',
      ['share.delivery.count.limit', SET!, '1'],
      ErrorCode.INVALID_CONFIG,
    ],
    ['all client metrics', 16, '', ['metrics', SET!, 'x'], ErrorCode.INVALID_REQUEST],
    ['an interval out of range', 16, 'm', ['interval.ms', SET!, '1'], ErrorCode.INVALID_CONFIG],
    ['a bad match', 16, 'm', ['match', SET!, 'nonsense'], ErrorCode.INVALID_CONFIG],
  ])('refuses %s', (_, type, name, step, errorCode) => {
    const on = cluster()
    const { offset } = on.image
    expect(alter(on, type, name, step)).toBe(errorCode)
    expect(on.image.offset).toBe(offset)
  })

  test('sets, deletes, appends and subtracts', () => {
    const on = cluster()
    expect(
      alter(
        on,
        2,
        't',
        ['retention.ms', DELETE!, null],
        ['cleanup.policy', APPEND!, 'compact'],
        ['segment.ms', SET!, '10'],
      ),
    ).toBe(0)
    expect(overrides(on, 2, 't')).toEqual({ 'cleanup.policy': 'delete,compact', 'segment.ms': '10' })
    expect(alter(on, 2, 't', ['cleanup.policy', SUBTRACT!, 'delete'])).toBe(0)
    expect(overrides(on, 2, 't')).toEqual({ 'cleanup.policy': 'compact', 'segment.ms': '10' })
  })

  test('other resources', () => {
    const on = cluster()
    expect(alter(on, 4, '', ['unclean.leader.election.enable', SET!, 'true'])).toBe(0)
    expect(alter(on, 32, 'g', ['share.auto.offset.reset', SET!, 'by_duration:PT1H'])).toBe(0)
    expect(alter(on, 16, 'm', ['match', SET!, 'client_id=a.*'], ['interval.ms', SET!, '1000'])).toBe(0)
    expect(overrides(on, 4, '')).toEqual({
      'min.insync.replicas': '1',
      'unclean.leader.election.enable': 'true',
    })
    expect(overrides(on, 32, 'g')).toEqual({ 'share.auto.offset.reset': 'by_duration:PT1H' })
    expect(overrides(on, 16, 'm')).toEqual({ match: 'client_id=a.*', 'interval.ms': '1000' })
  })

  test('a value that is there already needs no record; a key twice is refused', () => {
    const on = cluster()
    const { offset } = on.image
    expect(alter(on, 2, 't', ['retention.ms', SET!, '5'])).toBe(0)
    expect(on.image.offset).toBe(offset)
    expect(alter(on, 2, 't', ['retention.ms', SET!, '6'], ['retention.ms', SET!, '7'])).toBe(
      ErrorCode.INVALID_REQUEST,
    )
  })

  test('resources fail one by one; a resource twice fails in both places; validateOnly changes nothing', () => {
    const on = cluster()
    const resource = (resourceName: string): object => ({
      resourceType: 2,
      resourceName,
      configs: [{ name: 'segment.ms', configOperation: SET, value: '9' }],
    })
    const send = (names: readonly string[], validateOnly: 'validate-only' | 'for-real'): number[] => {
      const body = { resources: names.map(resource), validateOnly: validateOnly === 'validate-only' }
      return on
        .request<{ responses: { errorCode: number }[] }>(ApiKey.IncrementalAlterConfigs, 1, body)
        .responses.map(({ errorCode }) => errorCode)
    }
    expect(send(['t', 'u', 'u'], 'validate-only')).toEqual([
      0,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
    ])
    expect(overrides(on, 2, 't')).toEqual({ 'retention.ms': '5' })
    expect(send(['t', 'u'], 'for-real')).toEqual([0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
    expect(overrides(on, 2, 't')).toEqual({ 'retention.ms': '5', 'segment.ms': '9' })
  })
})

test('AlterConfigs replaces all overrides', () => {
  const on = cluster()
  const send = (configs: object[]): number => {
    const body = { resources: [{ resourceType: 2, resourceName: 't', configs }], validateOnly: false }
    return on.request<{ responses: { errorCode: number }[] }>(ApiKey.AlterConfigs, 2, body).responses[0]!
      .errorCode
  }
  expect(send([{ name: 'segment.ms', value: '7' }])).toBe(0)
  expect(overrides(on, 2, 't')).toEqual({ 'segment.ms': '7' })
  expect(send([{ name: 'segment.ms', value: null }])).toBe(ErrorCode.INVALID_CONFIG)
  expect(send([])).toBe(0)
  expect(overrides(on, 2, 't')).toEqual({})
})

test('defaults of group configs are valid themselves', () => {
  for (const key of groupConfigKeys) expect(validateGroupConfig(key.name, key.default)).toBeNull()
  expect(validateGroupConfig('share.auto.offset.reset', 'by_duration:P')).not.toBeNull()
})

describe('UpdateFeatures', () => {
  const update = (on: TestCluster, feature: string, maxVersionLevel: number, upgradeType = 1): number => {
    const body = {
      timeoutMs: 0,
      featureUpdates: [{ feature, maxVersionLevel, allowDowngrade: false, upgradeType }],
      validateOnly: false,
    }
    return on.request<{ errorCode: number }>(ApiKey.UpdateFeatures, 2, body).errorCode
  }

  test('levels that every node has, and down only when asked', () => {
    const on = cluster()
    on.createTopic('u', [[1]])
    on.fence(1)
    expect(on.partition('u').elr).toEqual([1])
    expect(update(on, 'no.such', 1)).toBe(ErrorCode.INVALID_UPDATE_VERSION)
    expect(update(on, 'group.version', 1)).toBe(ErrorCode.INVALID_UPDATE_VERSION)
    expect(update(on, 'eligible.leader.replicas.version', 0)).toBe(ErrorCode.INVALID_UPDATE_VERSION)
    expect(update(on, 'eligible.leader.replicas.version', 0, 3)).toBe(ErrorCode.NONE)
    expect(Object.fromEntries(on.image.features)).toEqual({ 'metadata.version': 30 })
    expect(on.partition('u').elr).toEqual([])
  })
})

test('without eligible leader replicas the last in-sync replica stays in the set, and alone may lead', () => {
  const on = new TestCluster().start(1, 2)
  const body = {
    timeoutMs: 0,
    featureUpdates: [
      {
        feature: 'eligible.leader.replicas.version',
        maxVersionLevel: 0,
        allowDowngrade: true,
        upgradeType: 2,
      },
    ],
    validateOnly: false,
  }
  on.request(ApiKey.UpdateFeatures, 2, body)
  on.createTopic('t', [[1, 2]])
  on.fence(1)
  on.fence(2)
  expect(on.partition('t')).toMatchObject({ leader: null, isr: [2], elr: [] })
  on.start(1)
  expect(on.partition('t').leader).toBeNull()
  on.start(2)
  expect(on.partition('t')).toMatchObject({ leader: 2, isr: [2] })
})
