import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import type { MetadataRecord } from '@kavka/controller'
import { seededRandom } from '@kavka/kernel'
import { ZERO_UUID } from '@kavka/protocol'
import type { BrokerEpoch, LeaderEpoch, NodeId, PartitionEpoch, Uuid } from '@kavka/protocol'
import { WireDecodeError } from '../proto-runtime.ts'
import { protobufRecordCodec } from './record-codec.ts'

const schema = protobuf.parse(readFileSync(join(__dirname, '../../../../proto/kavka/internal/v1/metadata.proto'), 'utf8')).root
const wireType = schema.lookupType('kavka.internal.v1.MetadataBatch')

const topicId = 'AAECAwQFBgcICQoLDA0ODw' as Uuid
const ids = (...values: number[]): NodeId[] => values as NodeId[]
const brokerEpoch = (2 ** 45) as BrokerEpoch
const endpoints = [
  { listener: 'INTERNAL', host: 'broker-1', port: 9092, securityProtocol: 'PLAINTEXT' },
  { listener: 'EXTERNAL', host: '::1', port: 65_535, securityProtocol: 'SASL_SSL' },
] as const
const features = [{ name: 'metadata.version', min: 0, max: 25 }]

const records: readonly MetadataRecord[] = [
  {
    kind: 'register-broker', brokerId: 0 as NodeId, brokerEpoch: 'offset-of-batch', incarnationId: topicId, endpoints, rack: null, features: [],
    logDirs: [topicId, topicId], fenced: true, inControlledShutdown: false,
  },
  {
    kind: 'register-broker', brokerId: 7 as NodeId, brokerEpoch: 0 as BrokerEpoch, incarnationId: topicId, endpoints: [], rack: '', features,
    logDirs: [], fenced: false, inControlledShutdown: true,
  },
  { kind: 'unregister-broker', brokerId: 7 as NodeId, brokerEpoch },
  { kind: 'broker-change', brokerId: 7 as NodeId, brokerEpoch, fenced: null, inControlledShutdown: null, logDirs: null },
  { kind: 'broker-change', brokerId: 7 as NodeId, brokerEpoch, fenced: false, inControlledShutdown: true, logDirs: [] },
  { kind: 'register-controller', controllerId: 3 as NodeId, incarnationId: topicId, endpoints, features },
  { kind: 'topic', topicId, name: 'orders' },
  {
    kind: 'partition', topicId, partition: 0, replicas: ids(0, 1, 300), directories: [topicId, ZERO_UUID, topicId], isr: ids(1), elr: [], lastKnownElr: ids(0), addingReplicas: ids(2),
    removingReplicas: [], leader: 0 as NodeId, leaderRecovery: 'recovered', leaderEpoch: 0 as LeaderEpoch, partitionEpoch: 0 as PartitionEpoch,
  },
  {
    kind: 'partition', topicId, partition: 2 ** 31 - 1, replicas: ids(0), directories: [ZERO_UUID], isr: [], elr: [], lastKnownElr: [], addingReplicas: [],
    removingReplicas: ids(4), leader: null, leaderRecovery: 'recovering', leaderEpoch: 5 as LeaderEpoch, partitionEpoch: 6 as PartitionEpoch,
  },
  ...(['none', 'unchanged', 0 as NodeId, 9 as NodeId] as const).map(
    (leader): MetadataRecord => ({
      kind: 'partition-change', topicId, partition: 1, leader, isr: [], elr: null, lastKnownElr: ids(1), replicas: null, directories: null, addingReplicas: null,
      removingReplicas: [], leaderRecovery: null,
    }),
  ),
  {
    kind: 'partition-change', topicId, partition: 1, leader: 'unchanged', isr: null, elr: [], lastKnownElr: null, replicas: ids(1, 2),
    directories: [topicId, ZERO_UUID], addingReplicas: ids(2), removingReplicas: null, leaderRecovery: 'recovering',
  },
  { kind: 'remove-topic', topicId },
  { kind: 'config', resourceType: 2, resourceName: 'orders', name: 'retention.ms', value: '-1' },
  { kind: 'config', resourceType: 4, resourceName: '', name: 'retention.ms', value: '' },
  { kind: 'config', resourceType: 32, resourceName: 'group', name: 'x', value: null },
  { kind: 'feature-level', name: 'group.version', level: 0 },
  { kind: 'producer-ids', brokerId: 7 as NodeId, brokerEpoch, nextProducerId: Number.MAX_SAFE_INTEGER },
  { kind: 'no-op' },
]

test('a batch of every record comes back as it was', () => {
  expect(protobufRecordCodec.decode(protobufRecordCodec.encode(records))).toEqual(records)
  expect(protobufRecordCodec.decode(protobufRecordCodec.encode([]))).toEqual([])
})

test.each(records.map((record, index) => [`${index} ${record.kind}`, record]))('%s is what the .proto file says', (_name, record) => {
  const bytes = protobufRecordCodec.encode([record])
  const reread = wireType.decode(bytes)
  expect(wireType.verify(reread)).toBeNull()
  const rewritten = wireType.encode(reread).finish()
  expect(rewritten.length).toBe(bytes.length)
  expect(protobufRecordCodec.decode(rewritten)).toEqual([record])
})

test('field names of the .proto file carry the values of the same names', () => {
  const object = wireType.toObject(wireType.decode(protobufRecordCodec.encode([records[8]!])), { longs: Number, enums: String, bytes: String })
  expect(object).toEqual({
    records: [
      {
        partition: {
          topicId: 'AAECAwQFBgcICQoLDA0ODw==', partition: 2 ** 31 - 1, replicas: [0], removingReplicas: [4],
          leaderRecovery: 'LEADER_RECOVERY_RECOVERING', leaderEpoch: 5, partitionEpoch: 6,
        },
      },
    ],
  })
})

test('records of a newer version and values out of range are refused', () => {
  const refused = [
    { records: [{}] },
    { records: [{ topic: { topicId: Buffer.alloc(15), name: 'x' } }] },
    { records: [{ config: { resourceType: 3, resourceName: '', name: 'x' } }] },
    { records: [{ registerController: { incarnationId: Buffer.alloc(16), endpoints: [{ securityProtocol: 'TELNET' }] } }] },
    { records: [{ partition: { topicId: Buffer.alloc(16), leaderRecovery: 0 } }] },
    { records: [{ unregisterBroker: { brokerId: 2 ** 31 } }] },
    { records: [{ partitionChange: { topicId: Buffer.alloc(16), leader: -2 } }] },
  ]
  for (const object of refused) {
    const bytes = wireType.encode(wireType.fromObject(object)).finish()
    expect(() => protobufRecordCodec.decode(bytes)).toThrow(WireDecodeError)
  }
})

test('whatever the bytes are, the only error is WireDecodeError', () => {
  const random = seededRandom(3)
  const bytes = protobufRecordCodec.encode(records)
  let refused = 0
  for (let round = 0; round < 5_000; round++) {
    const copy = Buffer.from(bytes)
    copy[random.below(copy.length)] = random.below(256)
    try {
      protobufRecordCodec.decode(copy.subarray(0, random.below(2) === 0 ? copy.length : random.below(copy.length)))
    } catch (error) {
      expect(error).toBeInstanceOf(WireDecodeError)
      refused++
    }
  }
  expect(refused).toBeGreaterThan(2_000)
})
