/**
 * A `__consumer_offsets` partition written by Apache Kafka 4.3.1, against what Kafka's own dump tool says of
 * it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { assertPresent } from '@kavka/kernel'
import { batchesIn, consumerProtocolAssignmentCodec, Reader, recordsOf } from '@kavka/protocol'
import type { LogRecord } from '@kavka/protocol'
import { replayBatches } from '../coordinators/partition-loader.ts'
import { defaultGroupOptions } from './group-options.ts'
import { GroupPartitionCore } from './core/group-partition-core.ts'
import { decodeGroupValue, decodeOffsetValue, decodeRecordKey, groupMetadataRecord, groupTombstone, newGroupRecord, offsetRecord, offsetTombstone } from './core/group-records.ts'
import { GroupTable } from './core/group-table.ts'

const directory = join(__dirname, 'testdata', 'kafka-4.3.1')
const log = readFileSync(join(directory, 'consumer-offsets.log'))
const dump = readFileSync(join(directory, 'consumer-offsets.dump'), 'utf8').split('\n')

/**
 * What the dump says is committed, read without any code of this package: the last of each key, transactions
 * settled by markers.
 */
function dumpedOffsets(): Map<string, { offset: number; metadata: string }> {
  const offsets = new Map<string, { offset: number; metadata: string }>()
  let pending: [string, { offset: number; metadata: string }][] = []
  let transactional = false
  for (const line of dump) {
    if (line.startsWith('baseOffset:')) transactional = line.includes('isTransactional: true isControl: false')
    if (line.includes('endTxnMarker: COMMIT')) for (const [key, value] of pending) offsets.set(key, value)
    if (line.includes('endTxnMarker:')) pending = []
    const record = /key: (\{"type":"1".*\}\}) payload: (.*)$/.exec(line)
    if (record === null) continue
    const { group, topic, partition } = JSON.parse(record[1]!).data
    const key = `${group}/${topic}-${partition}`
    if (record[2] === '<DELETE>') offsets.delete(key)
    else {
      const { offset, metadata } = JSON.parse(record[2]!).data
      if (transactional) pending.push([key, { offset, metadata }])
      else offsets.set(key, { offset, metadata })
    }
  }
  return offsets
}

function loaded(): GroupPartitionCore {
  const core = new GroupPartitionCore(defaultGroupOptions, { newUuid: () => 'uuid' })
  expect(replayBatches(core, log, 0)).toEqual({ kind: 'replayed', recordCount: 83 })
  core.loaded({ wallMs: 1_795_256_400_000, monotonicMs: 0 })
  return core
}

function records(): LogRecord[] {
  const found: LogRecord[] = []
  for (const step of batchesIn(log)) {
    const read = recordsOf(log, step.at)
    if (!read.ok) throw new Error(read.error.message)
    found.push(...read.value)
  }
  return found
}

test('every offset that the dump has is served, and no other', () => {
  const core = loaded()
  const expected = dumpedOffsets()
  expect(expected.size).toBeGreaterThan(8)
  const served = new Map<string, { offset: number; metadata: string }>()
  for (const groupId of new Set(Array.from(expected.keys(), (key) => key.split('/')[0]!)).add('deleted-group')) {
    const { topics } = core.fetchOffsets({ groupId, topics: null, stability: 'stable-only' })
    for (const { name, partitions } of topics) {
      for (const { partitionIndex, committedOffset, metadata, errorCode } of partitions) {
        expect(errorCode).toBe(0)
        served.set(`${groupId}/${name}-${partitionIndex}`, { offset: committedOffset, metadata })
      }
    }
  }
  expect(Object.fromEntries(served)).toEqual(Object.fromEntries(expected))
  expect(served.get('txn-group/events-0')).toEqual({ offset: 3, metadata: 'in txn é' })
  expect(core.unreadableRecords).toBe(0)
})

test('the classic group is restored as the dump says', () => {
  const lastLine = dump.findLast((line) => line.includes('key: {"type":"2","data":{"group":"classic-group"}}'))
  const payload = JSON.parse(assertPresent(lastLine, 'the group is in the dump').split(' payload: ')[1]!).data
  const group = loaded().describeGroup('classic-group')
  expect(group.groupState).toBe(payload.members.length > 0 ? 'Stable' : 'Empty')
  expect(group.protocolType).toBe(payload.protocolType)
  const members = payload.members.map((member: Record<string, unknown>) => [
    member['memberId'], member['groupInstanceId'], member['clientId'], member['clientHost'],
  ])
  expect(group.members.map((m) => [m.memberId, m.groupInstanceId, m.clientId, m.clientHost])).toEqual(members)
})

test('an earlier generation is restored with its members and assignments', () => {
  const table = new GroupTable()
  const record = assertPresent(records().find(({ offset }) => offset === 10), 'generation 2 stands at offset 10')
  table.restore('classic-group', decodeGroupValue(record.value!))
  const group = assertPresent(table.classic('classic-group'), 'the group')
  expect([group.state.kind, group.generationId, group.protocolName, group.members.size]).toEqual(['Stable', 2, 'range', 2])
  expect([...assertPresent(group.subscribedTopics, 'subscriptions are read')].toSorted()).toEqual(['append-time', 'events'])
  expect(group.staticMembers.get('static-1')).toBe(group.leaderId)
  const reader = new Reader(group.member(group.leaderId!).assignment)
  const version = reader.int16()
  const assigned = consumerProtocolAssignmentCodec.decode(reader, Math.min(version, 0)).assignedPartitions
  expect(assigned.map(({ topic, partitions }) => [topic, partitions])).toEqual([['append-time', [0]], ['events', [0]]])
  const written = groupMetadataRecord(group, new Map(Array.from(group.members.values(), (m) => [m.memberId, m.assignment])))
  expect(written.value!.toString('hex')).toBe(record.value!.toString('hex'))
  expect(written.key.toString('hex')).toBe(record.key!.toString('hex'))
})

test('records are written byte for byte as Kafka writes them', () => {
  let compared = 0
  for (const { key, value } of records()) {
    if (key === null || key.length <= 4) continue
    const decoded = decodeRecordKey(key)
    if (decoded.kind === 'offset') {
      const { groupId, topic, partition } = decoded
      const written = value === null
        ? offsetTombstone(groupId, topic, partition)
        : offsetRecord(groupId, topic, partition, decodeOffsetValue(key, value))
      expect(written).toEqual({ key, value })
      compared++
    } else if (decoded.kind === 'group') {
      const stored = value === null ? null : decodeGroupValue(value)
      const written = stored === null ? groupTombstone(decoded.groupId) : newGroupRecord(decoded.groupId, stored.currentStateTimestamp)
      expect(written.key).toEqual(key)
      if (stored === null || stored.generation === 0) expect(written.value).toEqual(value)
      compared++
    }
  }
  expect(compared).toBeGreaterThan(20)
})

test('groups of other protocols keep their id: a classic member is turned away, and nothing of them is deleted', () => {
  const core = loaded()
  const client = { apiVersion: 9, clientId: 'c', clientHost: '/127.0.0.1' }
  const request = {
    groupId: 'new-group', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: '', groupInstanceId: null,
    protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.alloc(0) }], reason: null,
  }
  core.joinGroup(1 as never, client, request, { wallMs: 0, monotonicMs: 0 })
  core.deleteGroup(2 as never, 'streams-app', { wallMs: 0, monotonicMs: 0 })
  const replies = core.takeEffects().map((effect) => (effect.kind === 'reply' ? (effect.body as { errorCode: number }).errorCode : effect.kind))
  expect(replies).toEqual([23, 68])
  expect([...core.groups()].map(({ groupId }) => groupId).toSorted()).toEqual(['classic-group', 'simple-group', 'txn-group'])
})
