import type { MetadataRecord, PartitionChangeRecord, PartitionRecord, RegisterBrokerRecord } from '@kavka/controller'
import { assertNever } from '@kavka/kernel'
import type { NodeId, Uuid } from '@kavka/protocol'
import { uuidToBytes, ZERO_UUID } from '@kavka/protocol'
import type * as wire from '../gen/metadata.ts'

/** What the wire has for "no leader from now on", where an absent leader means "as it was". */
export const NO_LEADER = -1

type WireRecord = NonNullable<wire.MetadataRecord['record']>

/** A record in the form of the generated codec. */
export function recordToWire(record: MetadataRecord): WireRecord {
  switch (record.kind) {
    case 'register-broker':
      return { kind: 'registerBroker', value: registerBroker(record) }
    case 'unregister-broker':
      return { kind: 'unregisterBroker', value: record }
    case 'broker-change':
      return { kind: 'brokerChange', value: { ...record, logDirs: record.logDirs === null ? null : { ids: uuids(record.logDirs) } } }
    case 'register-controller':
      return { kind: 'registerController', value: { ...record, incarnationId: uuidToBytes(record.incarnationId) } }
    case 'topic':
      return { kind: 'topic', value: { ...record, topicId: uuidToBytes(record.topicId) } }
    case 'partition':
      return { kind: 'partition', value: partition(record) }
    case 'partition-change':
      return { kind: 'partitionChange', value: partitionChange(record) }
    case 'remove-topic':
      return { kind: 'removeTopic', value: { topicId: uuidToBytes(record.topicId) } }
    case 'config':
      return { kind: 'config', value: record }
    case 'feature-level':
      return { kind: 'featureLevel', value: record }
    case 'producer-ids':
      return { kind: 'producerIds', value: record }
    case 'no-op':
      return { kind: 'noOp', value: {} }
    default:
      return assertNever(record)
  }
}

function registerBroker(record: RegisterBrokerRecord): wire.RegisterBrokerRecord {
  return {
    ...record,
    brokerEpoch: record.brokerEpoch === 'offset-of-batch' ? null : record.brokerEpoch,
    incarnationId: uuidToBytes(record.incarnationId),
    logDirs: uuids(record.logDirs),
  }
}

/** Where no replica has a directory nothing is said. */
function partition(record: PartitionRecord): wire.PartitionRecord {
  const isSaid = record.directories.some((id) => id !== ZERO_UUID)
  return {
    ...record,
    topicId: uuidToBytes(record.topicId),
    directories: isSaid ? uuids(record.directories) : [],
  }
}

function partitionChange(record: PartitionChangeRecord): wire.PartitionChangeRecord {
  return {
    topicId: uuidToBytes(record.topicId),
    partition: record.partition,
    leader: leaderToWire(record.leader),
    isr: list(record.isr),
    elr: list(record.elr),
    lastKnownElr: list(record.lastKnownElr),
    replicas: list(record.replicas),
    addingReplicas: list(record.addingReplicas),
    removingReplicas: list(record.removingReplicas),
    leaderRecovery: record.leaderRecovery,
    directories: record.directories === null ? null : { ids: uuids(record.directories) },
  }
}

function leaderToWire(leader: PartitionChangeRecord['leader']): number | null {
  if (leader === 'unchanged') return null
  return leader === 'none' ? NO_LEADER : leader
}

function list(ids: readonly NodeId[] | null): wire.NodeIdList | null {
  return ids === null ? null : { ids }
}

function uuids(ids: readonly Uuid[]): Uint8Array[] {
  return ids.map(uuidToBytes)
}
