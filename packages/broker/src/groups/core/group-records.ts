import {
  groupMetadataKeyCodec,
  groupMetadataValueCodec,
  legacyOffsetCommitValueCodec,
  offsetCommitKeyCodec,
  offsetCommitValueCodec,
  Reader,
  Writer,
  ZERO_UUID,
} from '@kavka/protocol'
import type { Encodable, GroupMetadataValue, MessageCodec, OffsetCommitValue } from '@kavka/protocol'
import type { CoordinatorRecord } from '../../coordinators/coordinator-core.ts'
import { NO_BYTES } from './classic-group.ts'
import type { ClassicGroup } from './classic-group.ts'

/**
 * The records of `__consumer_offsets` as Kafka writes them: the key starts with its record type, the value
 * with its version, both int16. Kafka 4.3 writes offsets with version 4 (version 1 when the client asked for
 * a retention time) and group metadata with 3.
 */

/** One committed offset as it is stored. */
export interface StoredOffset {
  readonly offset: number
  /** -1: the client did not say. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestampMs: number
  /** -1: the broker's retention counts. */
  readonly expireTimestampMs: number
  readonly topicId: OffsetCommitValue['topicId']
}

export type GroupRecordKey =
  | { readonly kind: 'offset'; readonly groupId: string; readonly topic: string; readonly partition: number }
  | { readonly kind: 'group'; readonly groupId: string }
  /**
   * Consumer (KIP-848), share (KIP-932) and streams (KIP-1071) groups: known by whose they are, not by what
   * they say.
   */
  | { readonly kind: 'foreign'; readonly groupId: string; readonly groupType: ForeignGroupType; readonly part: string }
  /** A record type of a Kafka newer than this code. */
  | { readonly kind: 'unknown'; readonly recordType: number }

export type ForeignGroupType = 'consumer' | 'share' | 'streams'

const OFFSET_KEY_TYPES: readonly number[] = [0, 1]
const GROUP_KEY_TYPE = 2
const OFFSET_VALUE_VERSION = 4
const EXPIRING_OFFSET_VALUE_VERSION = 1
const GROUP_VALUE_VERSION = 3

const foreignTypes: readonly { readonly type: ForeignGroupType; readonly recordTypes: readonly number[] }[] = [
  { type: 'consumer', recordTypes: [3, 4, 5, 6, 7, 8, 16] },
  { type: 'share', recordTypes: [10, 11, 12, 13, 14, 15] },
  { type: 'streams', recordTypes: [17, 19, 20, 21, 22, 23] },
]

/** Throws DecodeError for a key that is not what its type says. */
export function decodeRecordKey(key: Buffer): GroupRecordKey {
  const reader = new Reader(key)
  const recordType = reader.int16()
  if (OFFSET_KEY_TYPES.includes(recordType)) {
    const { group, topic, partition } = offsetCommitKeyCodec.decode(reader, 0)
    return { kind: 'offset', groupId: group, topic, partition }
  }
  if (recordType === GROUP_KEY_TYPE) return { kind: 'group', groupId: groupMetadataKeyCodec.decode(reader, 0).group }
  const foreign = foreignTypes.find(({ recordTypes }) => recordTypes.includes(recordType))
  if (foreign === undefined) return { kind: 'unknown', recordType }
  // Every key of these starts with the group id; the rest tells the group's records apart.
  return { kind: 'foreign', groupId: reader.string(), groupType: foreign.type, part: key.toString('latin1') }
}

/** Throws DecodeError; an unknown newer version is one too. */
export function decodeOffsetValue(key: Buffer, value: Buffer): StoredOffset {
  const reader = new Reader(value)
  const version = reader.int16()
  if (key.readInt16BE(0) === 0 && version === 0) {
    const legacy = legacyOffsetCommitValueCodec.decode(reader, version)
    return {
      offset: legacy.offset,
      leaderEpoch: -1,
      metadata: legacy.metadata,
      commitTimestampMs: legacy.commitTimestamp,
      expireTimestampMs: -1,
      topicId: ZERO_UUID,
    }
  }
  const decoded = offsetCommitValueCodec.decode(reader, version)
  return {
    offset: decoded.offset,
    leaderEpoch: decoded.leaderEpoch,
    metadata: decoded.metadata,
    commitTimestampMs: decoded.commitTimestamp,
    expireTimestampMs: decoded.expireTimestamp,
    topicId: decoded.topicId,
  }
}

export function decodeGroupValue(value: Buffer): GroupMetadataValue {
  const reader = new Reader(value)
  return groupMetadataValueCodec.decode(reader, reader.int16())
}

export function offsetRecord(groupId: string, topic: string, partition: number, stored: StoredOffset): CoordinatorRecord {
  const expires = stored.expireTimestampMs >= 0
  const value = {
    offset: stored.offset,
    leaderEpoch: stored.leaderEpoch,
    metadata: stored.metadata,
    commitTimestamp: stored.commitTimestampMs,
    expireTimestamp: stored.expireTimestampMs,
    topicId: stored.topicId,
  }
  return {
    key: offsetKey(groupId, topic, partition),
    value: encode(offsetCommitValueCodec, value, expires ? EXPIRING_OFFSET_VALUE_VERSION : OFFSET_VALUE_VERSION),
  }
}

export function offsetTombstone(groupId: string, topic: string, partition: number): CoordinatorRecord {
  return { key: offsetKey(groupId, topic, partition), value: null }
}

/** The group's metadata with the given assignments; a member that has none is stored with an empty one. */
export function groupMetadataRecord(
  group: ClassicGroup,
  assignments: ReadonlyMap<string, Buffer>,
): CoordinatorRecord {
  return groupRecord(group.groupId, {
    protocolType: group.protocolType ?? '',
    generation: group.generationId,
    protocol: group.protocolName,
    leader: group.leaderId,
    currentStateTimestamp: group.stateTimestampMs ?? -1,
    members: Array.from(group.members.values(), (member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: group.metadataOf(member),
      assignment: assignments.get(member.memberId) ?? NO_BYTES,
    })),
  })
}

/** The first record of a new group, before it has any member. */
export function newGroupRecord(groupId: string, stateTimestampMs: number): CoordinatorRecord {
  return groupRecord(groupId, {
    protocolType: '',
    generation: 0,
    protocol: null,
    leader: null,
    currentStateTimestamp: stateTimestampMs,
    members: [],
  })
}

export function groupTombstone(groupId: string): CoordinatorRecord {
  return { key: groupKey(groupId), value: null }
}

/** What each member has been assigned. */
export function assignmentsOf(group: ClassicGroup): Map<string, Buffer> {
  return new Map(Array.from(group.members.values(), ({ memberId, assignment }) => [memberId, assignment]))
}

function groupRecord(groupId: string, value: Encodable<GroupMetadataValue>): CoordinatorRecord {
  return { key: groupKey(groupId), value: encode(groupMetadataValueCodec, value, GROUP_VALUE_VERSION) }
}

function offsetKey(group: string, topic: string, partition: number): Buffer {
  return encode(offsetCommitKeyCodec, { group, topic, partition }, 0, offsetCommitKeyCodec.apiKey)
}

function groupKey(group: string): Buffer {
  return encode(groupMetadataKeyCodec, { group }, 0, groupMetadataKeyCodec.apiKey)
}

/** `prefix` is the record type before a key and the version before a value. */
function encode<T>(codec: MessageCodec<T>, value: Encodable<T>, version: number, prefix = version): Buffer {
  const writer = new Writer(128)
  writer.int16(prefix)
  codec.encode(writer, value, version)
  return writer.toBuffer()
}
