// Generated from proto/kavka/internal/v1/metadata.proto by scripts/gen-proto.mjs. Do not edit.
import type { Reader, Writer } from 'protobufjs'
import { NO_BYTES, enumLabel, exactEnd, roomFor, safeInteger } from '../proto-runtime.ts'

export type LeaderRecovery = 'recovered' | 'recovering'

const leaderRecoveryNumbers: Readonly<Record<LeaderRecovery, number>> = { 'recovered': 1, 'recovering': 2 }
const leaderRecoveryLabels: ReadonlyMap<number, LeaderRecovery> = new Map([[1, 'recovered'], [2, 'recovering']])

export interface MetadataBatch {
  readonly records: readonly MetadataRecord[]
}

export function encodeMetadataBatch(message: MetadataBatch, writer: Writer): Writer {
  for (const element of message.records) encodeMetadataRecord(element, writer.uint32(10).fork()).ldelim()
  return writer
}

export function decodeMetadataBatch(reader: Reader, end: number): MetadataBatch {
  const records: MetadataRecord[] = []
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        roomFor(records).push(decodeMetadataRecord(reader, reader.uint32() + reader.pos))
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { records }
}

export interface MetadataRecord {
  readonly record:
    | { readonly kind: 'registerBroker'; readonly value: RegisterBrokerRecord }
    | { readonly kind: 'unregisterBroker'; readonly value: UnregisterBrokerRecord }
    | { readonly kind: 'brokerChange'; readonly value: BrokerChangeRecord }
    | { readonly kind: 'registerController'; readonly value: RegisterControllerRecord }
    | { readonly kind: 'topic'; readonly value: TopicRecord }
    | { readonly kind: 'partition'; readonly value: PartitionRecord }
    | { readonly kind: 'partitionChange'; readonly value: PartitionChangeRecord }
    | { readonly kind: 'removeTopic'; readonly value: RemoveTopicRecord }
    | { readonly kind: 'config'; readonly value: ConfigRecord }
    | { readonly kind: 'featureLevel'; readonly value: FeatureLevelRecord }
    | { readonly kind: 'producerIds'; readonly value: ProducerIdsRecord }
    | { readonly kind: 'noOp'; readonly value: NoOpRecord }
    | null
}

export function encodeMetadataRecord(message: MetadataRecord, writer: Writer): Writer {
  switch (message.record?.kind) {
    case 'registerBroker':
      encodeRegisterBrokerRecord(message.record.value, writer.uint32(10).fork()).ldelim()
      break
    case 'unregisterBroker':
      encodeUnregisterBrokerRecord(message.record.value, writer.uint32(18).fork()).ldelim()
      break
    case 'brokerChange':
      encodeBrokerChangeRecord(message.record.value, writer.uint32(26).fork()).ldelim()
      break
    case 'registerController':
      encodeRegisterControllerRecord(message.record.value, writer.uint32(34).fork()).ldelim()
      break
    case 'topic':
      encodeTopicRecord(message.record.value, writer.uint32(42).fork()).ldelim()
      break
    case 'partition':
      encodePartitionRecord(message.record.value, writer.uint32(50).fork()).ldelim()
      break
    case 'partitionChange':
      encodePartitionChangeRecord(message.record.value, writer.uint32(58).fork()).ldelim()
      break
    case 'removeTopic':
      encodeRemoveTopicRecord(message.record.value, writer.uint32(66).fork()).ldelim()
      break
    case 'config':
      encodeConfigRecord(message.record.value, writer.uint32(74).fork()).ldelim()
      break
    case 'featureLevel':
      encodeFeatureLevelRecord(message.record.value, writer.uint32(82).fork()).ldelim()
      break
    case 'producerIds':
      encodeProducerIdsRecord(message.record.value, writer.uint32(90).fork()).ldelim()
      break
    case 'noOp':
      encodeNoOpRecord(message.record.value, writer.uint32(98).fork()).ldelim()
      break
    case undefined:
  }
  return writer
}

export function decodeMetadataRecord(reader: Reader, end: number): MetadataRecord {
  let record: MetadataRecord['record'] = null
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        record = { kind: 'registerBroker', value: decodeRegisterBrokerRecord(reader, reader.uint32() + reader.pos) }
        break
      case 18:
        record = { kind: 'unregisterBroker', value: decodeUnregisterBrokerRecord(reader, reader.uint32() + reader.pos) }
        break
      case 26:
        record = { kind: 'brokerChange', value: decodeBrokerChangeRecord(reader, reader.uint32() + reader.pos) }
        break
      case 34:
        record = { kind: 'registerController', value: decodeRegisterControllerRecord(reader, reader.uint32() + reader.pos) }
        break
      case 42:
        record = { kind: 'topic', value: decodeTopicRecord(reader, reader.uint32() + reader.pos) }
        break
      case 50:
        record = { kind: 'partition', value: decodePartitionRecord(reader, reader.uint32() + reader.pos) }
        break
      case 58:
        record = { kind: 'partitionChange', value: decodePartitionChangeRecord(reader, reader.uint32() + reader.pos) }
        break
      case 66:
        record = { kind: 'removeTopic', value: decodeRemoveTopicRecord(reader, reader.uint32() + reader.pos) }
        break
      case 74:
        record = { kind: 'config', value: decodeConfigRecord(reader, reader.uint32() + reader.pos) }
        break
      case 82:
        record = { kind: 'featureLevel', value: decodeFeatureLevelRecord(reader, reader.uint32() + reader.pos) }
        break
      case 90:
        record = { kind: 'producerIds', value: decodeProducerIdsRecord(reader, reader.uint32() + reader.pos) }
        break
      case 98:
        record = { kind: 'noOp', value: decodeNoOpRecord(reader, reader.uint32() + reader.pos) }
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { record }
}

export interface MetadataEndpoint {
  readonly listener: string
  readonly host: string
  readonly port: number
  readonly securityProtocol: string
}

export function encodeMetadataEndpoint(message: MetadataEndpoint, writer: Writer): Writer {
  if (message.listener !== '') writer.uint32(10).string(message.listener)
  if (message.host !== '') writer.uint32(18).string(message.host)
  if (message.port !== 0) writer.uint32(24).uint32(message.port)
  if (message.securityProtocol !== '') writer.uint32(34).string(message.securityProtocol)
  return writer
}

export function decodeMetadataEndpoint(reader: Reader, end: number): MetadataEndpoint {
  let listener: string = ''
  let host: string = ''
  let port: number = 0
  let securityProtocol: string = ''
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        listener = reader.string()
        break
      case 18:
        host = reader.string()
        break
      case 24:
        port = reader.uint32()
        break
      case 34:
        securityProtocol = reader.string()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { listener, host, port, securityProtocol }
}

export interface SupportedFeature {
  readonly name: string
  readonly min: number
  readonly max: number
}

export function encodeSupportedFeature(message: SupportedFeature, writer: Writer): Writer {
  if (message.name !== '') writer.uint32(10).string(message.name)
  if (message.min !== 0) writer.uint32(16).uint32(message.min)
  if (message.max !== 0) writer.uint32(24).uint32(message.max)
  return writer
}

export function decodeSupportedFeature(reader: Reader, end: number): SupportedFeature {
  let name: string = ''
  let min: number = 0
  let max: number = 0
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        name = reader.string()
        break
      case 16:
        min = reader.uint32()
        break
      case 24:
        max = reader.uint32()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { name, min, max }
}

export interface RegisterBrokerRecord {
  readonly brokerId: number
  readonly brokerEpoch: number | null
  readonly incarnationId: Uint8Array
  readonly endpoints: readonly MetadataEndpoint[]
  readonly rack: string | null
  readonly features: readonly SupportedFeature[]
  readonly logDirs: readonly Uint8Array[]
  readonly fenced: boolean
  readonly inControlledShutdown: boolean
}

export function encodeRegisterBrokerRecord(message: RegisterBrokerRecord, writer: Writer): Writer {
  if (message.brokerId !== 0) writer.uint32(8).uint32(message.brokerId)
  if (message.brokerEpoch !== null) writer.uint32(16).uint64(message.brokerEpoch)
  if (message.incarnationId.length > 0) writer.uint32(26).bytes(message.incarnationId)
  for (const element of message.endpoints) encodeMetadataEndpoint(element, writer.uint32(34).fork()).ldelim()
  if (message.rack !== null) writer.uint32(42).string(message.rack)
  for (const element of message.features) encodeSupportedFeature(element, writer.uint32(50).fork()).ldelim()
  for (const element of message.logDirs) writer.uint32(58).bytes(element)
  if (message.fenced) writer.uint32(64).bool(message.fenced)
  if (message.inControlledShutdown) writer.uint32(72).bool(message.inControlledShutdown)
  return writer
}

export function decodeRegisterBrokerRecord(reader: Reader, end: number): RegisterBrokerRecord {
  let brokerId: number = 0
  let brokerEpoch: number | null = null
  let incarnationId: Uint8Array = NO_BYTES
  const endpoints: MetadataEndpoint[] = []
  let rack: string | null = null
  const features: SupportedFeature[] = []
  const logDirs: Uint8Array[] = []
  let fenced: boolean = false
  let inControlledShutdown: boolean = false
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        brokerId = reader.uint32()
        break
      case 16:
        brokerEpoch = safeInteger(reader.uint64())
        break
      case 26:
        incarnationId = reader.bytes()
        break
      case 34:
        roomFor(endpoints).push(decodeMetadataEndpoint(reader, reader.uint32() + reader.pos))
        break
      case 42:
        rack = reader.string()
        break
      case 50:
        roomFor(features).push(decodeSupportedFeature(reader, reader.uint32() + reader.pos))
        break
      case 58:
        roomFor(logDirs).push(reader.bytes())
        break
      case 64:
        fenced = reader.bool()
        break
      case 72:
        inControlledShutdown = reader.bool()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { brokerId, brokerEpoch, incarnationId, endpoints, rack, features, logDirs, fenced, inControlledShutdown }
}

export interface UnregisterBrokerRecord {
  readonly brokerId: number
  readonly brokerEpoch: number
}

export function encodeUnregisterBrokerRecord(message: UnregisterBrokerRecord, writer: Writer): Writer {
  if (message.brokerId !== 0) writer.uint32(8).uint32(message.brokerId)
  if (message.brokerEpoch !== 0) writer.uint32(16).uint64(message.brokerEpoch)
  return writer
}

export function decodeUnregisterBrokerRecord(reader: Reader, end: number): UnregisterBrokerRecord {
  let brokerId: number = 0
  let brokerEpoch: number = 0
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        brokerId = reader.uint32()
        break
      case 16:
        brokerEpoch = safeInteger(reader.uint64())
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { brokerId, brokerEpoch }
}

export interface BrokerChangeRecord {
  readonly brokerId: number
  readonly brokerEpoch: number
  readonly fenced: boolean | null
  readonly inControlledShutdown: boolean | null
  readonly logDirs: UuidList | null
}

export function encodeBrokerChangeRecord(message: BrokerChangeRecord, writer: Writer): Writer {
  if (message.brokerId !== 0) writer.uint32(8).uint32(message.brokerId)
  if (message.brokerEpoch !== 0) writer.uint32(16).uint64(message.brokerEpoch)
  if (message.fenced !== null) writer.uint32(24).bool(message.fenced)
  if (message.inControlledShutdown !== null) writer.uint32(32).bool(message.inControlledShutdown)
  if (message.logDirs !== null) encodeUuidList(message.logDirs, writer.uint32(42).fork()).ldelim()
  return writer
}

export function decodeBrokerChangeRecord(reader: Reader, end: number): BrokerChangeRecord {
  let brokerId: number = 0
  let brokerEpoch: number = 0
  let fenced: boolean | null = null
  let inControlledShutdown: boolean | null = null
  let logDirs: UuidList | null = null
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        brokerId = reader.uint32()
        break
      case 16:
        brokerEpoch = safeInteger(reader.uint64())
        break
      case 24:
        fenced = reader.bool()
        break
      case 32:
        inControlledShutdown = reader.bool()
        break
      case 42:
        logDirs = decodeUuidList(reader, reader.uint32() + reader.pos)
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { brokerId, brokerEpoch, fenced, inControlledShutdown, logDirs }
}

export interface UuidList {
  readonly ids: readonly Uint8Array[]
}

export function encodeUuidList(message: UuidList, writer: Writer): Writer {
  for (const element of message.ids) writer.uint32(10).bytes(element)
  return writer
}

export function decodeUuidList(reader: Reader, end: number): UuidList {
  const ids: Uint8Array[] = []
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        roomFor(ids).push(reader.bytes())
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { ids }
}

export interface RegisterControllerRecord {
  readonly controllerId: number
  readonly incarnationId: Uint8Array
  readonly endpoints: readonly MetadataEndpoint[]
  readonly features: readonly SupportedFeature[]
}

export function encodeRegisterControllerRecord(message: RegisterControllerRecord, writer: Writer): Writer {
  if (message.controllerId !== 0) writer.uint32(8).uint32(message.controllerId)
  if (message.incarnationId.length > 0) writer.uint32(18).bytes(message.incarnationId)
  for (const element of message.endpoints) encodeMetadataEndpoint(element, writer.uint32(26).fork()).ldelim()
  for (const element of message.features) encodeSupportedFeature(element, writer.uint32(34).fork()).ldelim()
  return writer
}

export function decodeRegisterControllerRecord(reader: Reader, end: number): RegisterControllerRecord {
  let controllerId: number = 0
  let incarnationId: Uint8Array = NO_BYTES
  const endpoints: MetadataEndpoint[] = []
  const features: SupportedFeature[] = []
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        controllerId = reader.uint32()
        break
      case 18:
        incarnationId = reader.bytes()
        break
      case 26:
        roomFor(endpoints).push(decodeMetadataEndpoint(reader, reader.uint32() + reader.pos))
        break
      case 34:
        roomFor(features).push(decodeSupportedFeature(reader, reader.uint32() + reader.pos))
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { controllerId, incarnationId, endpoints, features }
}

export interface TopicRecord {
  readonly topicId: Uint8Array
  readonly name: string
}

export function encodeTopicRecord(message: TopicRecord, writer: Writer): Writer {
  if (message.topicId.length > 0) writer.uint32(10).bytes(message.topicId)
  if (message.name !== '') writer.uint32(18).string(message.name)
  return writer
}

export function decodeTopicRecord(reader: Reader, end: number): TopicRecord {
  let topicId: Uint8Array = NO_BYTES
  let name: string = ''
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        topicId = reader.bytes()
        break
      case 18:
        name = reader.string()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { topicId, name }
}

export interface PartitionRecord {
  readonly topicId: Uint8Array
  readonly partition: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly elr: readonly number[]
  readonly lastKnownElr: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly leader: number | null
  readonly leaderRecovery: LeaderRecovery | null
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly directories: readonly Uint8Array[]
}

export function encodePartitionRecord(message: PartitionRecord, writer: Writer): Writer {
  if (message.topicId.length > 0) writer.uint32(10).bytes(message.topicId)
  if (message.partition !== 0) writer.uint32(16).uint32(message.partition)
  if (message.replicas.length > 0) {
    writer.uint32(26).fork()
    for (const element of message.replicas) writer.uint32(element)
    writer.ldelim()
  }
  if (message.isr.length > 0) {
    writer.uint32(34).fork()
    for (const element of message.isr) writer.uint32(element)
    writer.ldelim()
  }
  if (message.elr.length > 0) {
    writer.uint32(42).fork()
    for (const element of message.elr) writer.uint32(element)
    writer.ldelim()
  }
  if (message.lastKnownElr.length > 0) {
    writer.uint32(50).fork()
    for (const element of message.lastKnownElr) writer.uint32(element)
    writer.ldelim()
  }
  if (message.addingReplicas.length > 0) {
    writer.uint32(58).fork()
    for (const element of message.addingReplicas) writer.uint32(element)
    writer.ldelim()
  }
  if (message.removingReplicas.length > 0) {
    writer.uint32(66).fork()
    for (const element of message.removingReplicas) writer.uint32(element)
    writer.ldelim()
  }
  if (message.leader !== null) writer.uint32(72).uint32(message.leader)
  if (message.leaderRecovery !== null) writer.uint32(80).int32(leaderRecoveryNumbers[message.leaderRecovery])
  if (message.leaderEpoch !== 0) writer.uint32(88).uint32(message.leaderEpoch)
  if (message.partitionEpoch !== 0) writer.uint32(96).uint32(message.partitionEpoch)
  for (const element of message.directories) writer.uint32(106).bytes(element)
  return writer
}

export function decodePartitionRecord(reader: Reader, end: number): PartitionRecord {
  let topicId: Uint8Array = NO_BYTES
  let partition: number = 0
  const replicas: number[] = []
  const isr: number[] = []
  const elr: number[] = []
  const lastKnownElr: number[] = []
  const addingReplicas: number[] = []
  const removingReplicas: number[] = []
  let leader: number | null = null
  let leaderRecovery: LeaderRecovery | null = null
  let leaderEpoch: number = 0
  let partitionEpoch: number = 0
  const directories: Uint8Array[] = []
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        topicId = reader.bytes()
        break
      case 16:
        partition = reader.uint32()
        break
      case 24:
        roomFor(replicas).push(reader.uint32())
        break
      case 26: {
        const packedEnd = reader.uint32() + reader.pos
        while (reader.pos < packedEnd) roomFor(replicas).push(reader.uint32())
        break
      }
      case 32:
        roomFor(isr).push(reader.uint32())
        break
      case 34: {
        const packedEnd = reader.uint32() + reader.pos
        while (reader.pos < packedEnd) roomFor(isr).push(reader.uint32())
        break
      }
      case 40:
        roomFor(elr).push(reader.uint32())
        break
      case 42: {
        const packedEnd = reader.uint32() + reader.pos
        while (reader.pos < packedEnd) roomFor(elr).push(reader.uint32())
        break
      }
      case 48:
        roomFor(lastKnownElr).push(reader.uint32())
        break
      case 50: {
        const packedEnd = reader.uint32() + reader.pos
        while (reader.pos < packedEnd) roomFor(lastKnownElr).push(reader.uint32())
        break
      }
      case 56:
        roomFor(addingReplicas).push(reader.uint32())
        break
      case 58: {
        const packedEnd = reader.uint32() + reader.pos
        while (reader.pos < packedEnd) roomFor(addingReplicas).push(reader.uint32())
        break
      }
      case 64:
        roomFor(removingReplicas).push(reader.uint32())
        break
      case 66: {
        const packedEnd = reader.uint32() + reader.pos
        while (reader.pos < packedEnd) roomFor(removingReplicas).push(reader.uint32())
        break
      }
      case 72:
        leader = reader.uint32()
        break
      case 80:
        leaderRecovery = enumLabel(leaderRecoveryLabels, reader.int32(), 'LeaderRecovery')
        break
      case 88:
        leaderEpoch = reader.uint32()
        break
      case 96:
        partitionEpoch = reader.uint32()
        break
      case 106:
        roomFor(directories).push(reader.bytes())
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { topicId, partition, replicas, isr, elr, lastKnownElr, addingReplicas, removingReplicas, leader, leaderRecovery, leaderEpoch, partitionEpoch, directories }
}

export interface NodeIdList {
  readonly ids: readonly number[]
}

export function encodeNodeIdList(message: NodeIdList, writer: Writer): Writer {
  if (message.ids.length > 0) {
    writer.uint32(10).fork()
    for (const element of message.ids) writer.uint32(element)
    writer.ldelim()
  }
  return writer
}

export function decodeNodeIdList(reader: Reader, end: number): NodeIdList {
  const ids: number[] = []
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        roomFor(ids).push(reader.uint32())
        break
      case 10: {
        const packedEnd = reader.uint32() + reader.pos
        while (reader.pos < packedEnd) roomFor(ids).push(reader.uint32())
        break
      }
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { ids }
}

export interface PartitionChangeRecord {
  readonly topicId: Uint8Array
  readonly partition: number
  readonly leader: number | null
  readonly isr: NodeIdList | null
  readonly elr: NodeIdList | null
  readonly lastKnownElr: NodeIdList | null
  readonly replicas: NodeIdList | null
  readonly addingReplicas: NodeIdList | null
  readonly removingReplicas: NodeIdList | null
  readonly leaderRecovery: LeaderRecovery | null
  readonly directories: UuidList | null
}

export function encodePartitionChangeRecord(message: PartitionChangeRecord, writer: Writer): Writer {
  if (message.topicId.length > 0) writer.uint32(10).bytes(message.topicId)
  if (message.partition !== 0) writer.uint32(16).uint32(message.partition)
  if (message.leader !== null) writer.uint32(24).sint32(message.leader)
  if (message.isr !== null) encodeNodeIdList(message.isr, writer.uint32(34).fork()).ldelim()
  if (message.elr !== null) encodeNodeIdList(message.elr, writer.uint32(42).fork()).ldelim()
  if (message.lastKnownElr !== null) encodeNodeIdList(message.lastKnownElr, writer.uint32(50).fork()).ldelim()
  if (message.replicas !== null) encodeNodeIdList(message.replicas, writer.uint32(58).fork()).ldelim()
  if (message.addingReplicas !== null) encodeNodeIdList(message.addingReplicas, writer.uint32(66).fork()).ldelim()
  if (message.removingReplicas !== null) encodeNodeIdList(message.removingReplicas, writer.uint32(74).fork()).ldelim()
  if (message.leaderRecovery !== null) writer.uint32(80).int32(leaderRecoveryNumbers[message.leaderRecovery])
  if (message.directories !== null) encodeUuidList(message.directories, writer.uint32(90).fork()).ldelim()
  return writer
}

export function decodePartitionChangeRecord(reader: Reader, end: number): PartitionChangeRecord {
  let topicId: Uint8Array = NO_BYTES
  let partition: number = 0
  let leader: number | null = null
  let isr: NodeIdList | null = null
  let elr: NodeIdList | null = null
  let lastKnownElr: NodeIdList | null = null
  let replicas: NodeIdList | null = null
  let addingReplicas: NodeIdList | null = null
  let removingReplicas: NodeIdList | null = null
  let leaderRecovery: LeaderRecovery | null = null
  let directories: UuidList | null = null
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        topicId = reader.bytes()
        break
      case 16:
        partition = reader.uint32()
        break
      case 24:
        leader = reader.sint32()
        break
      case 34:
        isr = decodeNodeIdList(reader, reader.uint32() + reader.pos)
        break
      case 42:
        elr = decodeNodeIdList(reader, reader.uint32() + reader.pos)
        break
      case 50:
        lastKnownElr = decodeNodeIdList(reader, reader.uint32() + reader.pos)
        break
      case 58:
        replicas = decodeNodeIdList(reader, reader.uint32() + reader.pos)
        break
      case 66:
        addingReplicas = decodeNodeIdList(reader, reader.uint32() + reader.pos)
        break
      case 74:
        removingReplicas = decodeNodeIdList(reader, reader.uint32() + reader.pos)
        break
      case 80:
        leaderRecovery = enumLabel(leaderRecoveryLabels, reader.int32(), 'LeaderRecovery')
        break
      case 90:
        directories = decodeUuidList(reader, reader.uint32() + reader.pos)
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { topicId, partition, leader, isr, elr, lastKnownElr, replicas, addingReplicas, removingReplicas, leaderRecovery, directories }
}

export interface RemoveTopicRecord {
  readonly topicId: Uint8Array
}

export function encodeRemoveTopicRecord(message: RemoveTopicRecord, writer: Writer): Writer {
  if (message.topicId.length > 0) writer.uint32(10).bytes(message.topicId)
  return writer
}

export function decodeRemoveTopicRecord(reader: Reader, end: number): RemoveTopicRecord {
  let topicId: Uint8Array = NO_BYTES
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        topicId = reader.bytes()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { topicId }
}

export interface ConfigRecord {
  readonly resourceType: number
  readonly resourceName: string
  readonly name: string
  readonly value: string | null
}

export function encodeConfigRecord(message: ConfigRecord, writer: Writer): Writer {
  if (message.resourceType !== 0) writer.uint32(8).uint32(message.resourceType)
  if (message.resourceName !== '') writer.uint32(18).string(message.resourceName)
  if (message.name !== '') writer.uint32(26).string(message.name)
  if (message.value !== null) writer.uint32(34).string(message.value)
  return writer
}

export function decodeConfigRecord(reader: Reader, end: number): ConfigRecord {
  let resourceType: number = 0
  let resourceName: string = ''
  let name: string = ''
  let value: string | null = null
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        resourceType = reader.uint32()
        break
      case 18:
        resourceName = reader.string()
        break
      case 26:
        name = reader.string()
        break
      case 34:
        value = reader.string()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { resourceType, resourceName, name, value }
}

export interface FeatureLevelRecord {
  readonly name: string
  readonly level: number
}

export function encodeFeatureLevelRecord(message: FeatureLevelRecord, writer: Writer): Writer {
  if (message.name !== '') writer.uint32(10).string(message.name)
  if (message.level !== 0) writer.uint32(16).uint32(message.level)
  return writer
}

export function decodeFeatureLevelRecord(reader: Reader, end: number): FeatureLevelRecord {
  let name: string = ''
  let level: number = 0
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        name = reader.string()
        break
      case 16:
        level = reader.uint32()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { name, level }
}

export interface ProducerIdsRecord {
  readonly brokerId: number
  readonly brokerEpoch: number
  readonly nextProducerId: number
}

export function encodeProducerIdsRecord(message: ProducerIdsRecord, writer: Writer): Writer {
  if (message.brokerId !== 0) writer.uint32(8).uint32(message.brokerId)
  if (message.brokerEpoch !== 0) writer.uint32(16).uint64(message.brokerEpoch)
  if (message.nextProducerId !== 0) writer.uint32(24).uint64(message.nextProducerId)
  return writer
}

export function decodeProducerIdsRecord(reader: Reader, end: number): ProducerIdsRecord {
  let brokerId: number = 0
  let brokerEpoch: number = 0
  let nextProducerId: number = 0
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        brokerId = reader.uint32()
        break
      case 16:
        brokerEpoch = safeInteger(reader.uint64())
        break
      case 24:
        nextProducerId = safeInteger(reader.uint64())
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { brokerId, brokerEpoch, nextProducerId }
}

export type NoOpRecord = Readonly<Record<string, never>>

export function encodeNoOpRecord(_message: NoOpRecord, writer: Writer): Writer {
  return writer
}

export function decodeNoOpRecord(reader: Reader, end: number): NoOpRecord {
  while (reader.pos < end) {
    reader.skipType(reader.uint32() & 7)
  }
  exactEnd(reader, end)
  return {}
}
