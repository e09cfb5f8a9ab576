import { ApiKey, apis, ErrorCode, errorMessage, errorName, errorRow, errorRows } from './index.ts'
import { goldenText } from './golden/load-golden.ts'
import { productCodecs } from './golden/golden-message.ts'

interface GoldenIndex {
  readonly messages: readonly {
    readonly name: string
    readonly type: string
    readonly apiKey?: number
    readonly module: string
    readonly validVersions: string
    readonly flexibleFrom?: number
    readonly cases: number
  }[]
}

const index = JSON.parse(goldenText('index.json')) as GoldenIndex
const product = index.messages.filter(
  (one) => one.module !== 'kafka-clients-test' && one.validVersions !== 'none',
)

test('every message of Kafka has a codec with its versions and first flexible version', () => {
  for (const { name, validVersions, flexibleFrom, apiKey } of product) {
    const codec = productCodecs.get(name)!
    const [from, to = from] = validVersions.split('-').map(Number)
    expect([name, codec.versions]).toEqual([name, [from, to]])
    const expected = flexibleFrom === undefined || flexibleFrom < 0 ? null : Math.max(flexibleFrom, from!)
    expect([name, codec.flexibleFrom]).toEqual([name, expected])
    if (apiKey !== undefined && apiKey >= 0) expect([name, codec.apiKey]).toEqual([name, apiKey])
  }
  expect(productCodecs.size).toBe(product.length)
})

test('the table of APIs pairs requests with their responses', () => {
  expect(apis.size).toBe(89)
  for (const [key, api] of apis) {
    expect(key).toBe(api.key)
    expect(ApiKey[api.name as keyof typeof ApiKey]).toBe(key)
    expect(api.requestCodec.name).toBe(`${api.name}Request`)
    expect(api.responseCodec.name).toBe(`${api.name}Response`)
    expect(api.responseCodec.versions).toEqual(api.versions)
    expect(api.responseCodec.flexibleFrom).toBe(api.flexibleFrom)
    expect(api.listeners.length).toBeGreaterThan(0)
  }
  expect(apis.get(ApiKey.InitProducerId)).toMatchObject({ latestVersionUnstable: true, clusterAction: false })
  expect(apis.get(ApiKey.AlterPartition)).toMatchObject({ clusterAction: true, listeners: ['controller'] })
  expect(apis.get(ApiKey.CreateTopics)).toMatchObject({
    forwardedToController: true,
    listeners: ['broker', 'controller'],
  })
  expect(apis.has(ApiKey.LeaderAndIsr)).toBe(false)
})

test('errors have names, sentences and the right to be retried', () => {
  expect(errorRows).toHaveLength(138)
  expect(new Set(errorRows.map((row) => row.code)).size).toBe(138)
  expect(new Set(errorRows.map((row) => row.message)).size).toBe(138)
  expect(errorName(ErrorCode.NOT_LEADER_OR_FOLLOWER)).toBe('NOT_LEADER_OR_FOLLOWER')
  expect(errorRow(6).retriable).toBe(true)
  expect(errorRow(ErrorCode.INVALID_RECORD).retriable).toBe(false)
  expect(errorRows.filter((row) => row.retriable)).toHaveLength(32)
  expect(errorName(12_345)).toBe('UNKNOWN_SERVER_ERROR')
  expect(errorMessage(0)).toBe('No error')
})
