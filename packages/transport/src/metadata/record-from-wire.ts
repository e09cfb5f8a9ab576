import type {
  BrokerChangeRecord, MetadataRecord, PartitionChangeRecord, PartitionRecord, RegisterBrokerRecord, RegisterControllerRecord,
} from '@kavka/controller'
import { assertNever } from '@kavka/kernel'
import type { BrokerEpoch, LeaderEpoch, NodeId, PartitionEpoch, Uuid } from '@kavka/protocol'
import { uuidAt, ZERO_UUID } from '@kavka/protocol'
import type * as wire from '../gen/metadata.ts'
import { WireDecodeError, required } from '../proto-runtime.ts'
import { NO_LEADER } from './record-to-wire.ts'

type ConfigRecord = Extract<MetadataRecord, { kind: 'config' }>
type Endpoint = RegisterBrokerRecord['endpoints'][number]

const INT32_MAX = 2 ** 31 - 1
const UUID_BYTES = 16
const securityProtocols: readonly string[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] satisfies Endpoint['securityProtocol'][]
const resourceTypes: readonly number[] = [2, 4, 8, 16, 32] satisfies ConfigRecord['resourceType'][]

/** Throws WireDecodeError for a record of an unknown kind (written by a newer version) and for values out of range. */
export function recordFromWire(record: wire.MetadataRecord['record']): MetadataRecord {
  if (record === null) throw new WireDecodeError('metadata record of an unknown kind')
  switch (record.kind) {
    case 'registerBroker':
      return registerBroker(record.value)
    case 'unregisterBroker':
      return { kind: 'unregister-broker', ...brokerIdentity(record.value) }
    case 'brokerChange':
      return brokerChange(record.value)
    case 'registerController':
      return registerController(record.value)
    case 'topic':
      return { kind: 'topic', topicId: uuid(record.value.topicId), name: record.value.name }
    case 'partition':
      return partition(record.value)
    case 'partitionChange':
      return partitionChange(record.value)
    case 'removeTopic':
      return { kind: 'remove-topic', topicId: uuid(record.value.topicId) }
    case 'config':
      return config(record.value)
    case 'featureLevel':
      return { kind: 'feature-level', name: record.value.name, level: int32(record.value.level) }
    case 'producerIds':
      return { kind: 'producer-ids', ...brokerIdentity(record.value), nextProducerId: record.value.nextProducerId }
    case 'noOp':
      return { kind: 'no-op' }
    default:
      return assertNever(record)
  }
}

function brokerIdentity(value: { brokerId: number; brokerEpoch: number }): { brokerId: NodeId; brokerEpoch: BrokerEpoch } {
  return { brokerId: nodeId(value.brokerId), brokerEpoch: value.brokerEpoch as BrokerEpoch }
}

function registerBroker(value: wire.RegisterBrokerRecord): RegisterBrokerRecord {
  return {
    kind: 'register-broker',
    brokerId: nodeId(value.brokerId),
    brokerEpoch: value.brokerEpoch === null ? 'offset-of-batch' : (value.brokerEpoch as BrokerEpoch),
    incarnationId: uuid(value.incarnationId),
    endpoints: value.endpoints.map(endpoint),
    rack: value.rack,
    features: value.features,
    logDirs: value.logDirs.map(uuid),
    fenced: value.fenced,
    inControlledShutdown: value.inControlledShutdown,
  }
}

function brokerChange(value: wire.BrokerChangeRecord): BrokerChangeRecord {
  return {
    kind: 'broker-change',
    ...brokerIdentity(value),
    fenced: value.fenced,
    inControlledShutdown: value.inControlledShutdown,
    logDirs: value.logDirs === null ? null : value.logDirs.ids.map(uuid),
  }
}

function registerController(value: wire.RegisterControllerRecord): RegisterControllerRecord {
  return {
    kind: 'register-controller',
    controllerId: nodeId(value.controllerId),
    incarnationId: uuid(value.incarnationId),
    endpoints: value.endpoints.map(endpoint),
    features: value.features,
  }
}

function partition(value: wire.PartitionRecord): PartitionRecord {
  return {
    kind: 'partition',
    topicId: uuid(value.topicId),
    partition: int32(value.partition),
    replicas: value.replicas.map(nodeId),
    directories: value.directories.length === 0 ? value.replicas.map(() => ZERO_UUID) : value.directories.map(uuid),
    isr: value.isr.map(nodeId),
    elr: value.elr.map(nodeId),
    lastKnownElr: value.lastKnownElr.map(nodeId),
    addingReplicas: value.addingReplicas.map(nodeId),
    removingReplicas: value.removingReplicas.map(nodeId),
    leader: value.leader === null ? null : nodeId(value.leader),
    leaderRecovery: required(value.leaderRecovery, 'leader_recovery'),
    leaderEpoch: int32(value.leaderEpoch) as LeaderEpoch,
    partitionEpoch: int32(value.partitionEpoch) as PartitionEpoch,
  }
}

function partitionChange(value: wire.PartitionChangeRecord): PartitionChangeRecord {
  return {
    kind: 'partition-change',
    topicId: uuid(value.topicId),
    partition: int32(value.partition),
    leader: changedLeader(value.leader),
    isr: list(value.isr),
    elr: list(value.elr),
    lastKnownElr: list(value.lastKnownElr),
    replicas: list(value.replicas),
    directories: value.directories === null ? null : value.directories.ids.map(uuid),
    addingReplicas: list(value.addingReplicas),
    removingReplicas: list(value.removingReplicas),
    leaderRecovery: value.leaderRecovery,
  }
}

function changedLeader(leader: number | null): PartitionChangeRecord['leader'] {
  if (leader === null) return 'unchanged'
  return leader === NO_LEADER ? 'none' : nodeId(leader)
}

function config(value: wire.ConfigRecord): ConfigRecord {
  const { resourceType, resourceName, name } = value
  if (!resourceTypes.includes(resourceType)) throw new WireDecodeError(`unknown config resource type ${resourceType}`)
  return { kind: 'config', resourceType: resourceType as ConfigRecord['resourceType'], resourceName, name, value: value.value }
}

function endpoint(value: wire.MetadataEndpoint): Endpoint {
  const { listener, host, port, securityProtocol } = value
  if (!securityProtocols.includes(securityProtocol)) throw new WireDecodeError(`unknown security protocol ${securityProtocol}`)
  return { listener, host, port, securityProtocol: securityProtocol as Endpoint['securityProtocol'] }
}

function list(value: wire.NodeIdList | null): readonly NodeId[] | null {
  return value === null ? null : value.ids.map(nodeId)
}

function uuid(bytes: Uint8Array): Uuid {
  if (bytes.length !== UUID_BYTES) throw new WireDecodeError(`uuid of ${bytes.length} bytes`)
  return uuidAt(Buffer.from(bytes.buffer, bytes.byteOffset, UUID_BYTES), 0)
}

function nodeId(value: number): NodeId {
  return int32(value) as NodeId
}

function int32(value: number): number {
  if (value < 0 || value > INT32_MAX) throw new WireDecodeError(`number ${value} out of range`)
  return value
}
