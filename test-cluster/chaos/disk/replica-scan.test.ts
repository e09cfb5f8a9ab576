import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBatch } from '@kavka/protocol'
import { compareReplicas, scanReplica } from './replica-scan.ts'
import type { ScannedReplica } from './replica-scan.ts'

const SEGMENT = '00000000000000000000'
let directory = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kavka-scan-'))
})

afterEach(() => rmSync(directory, { recursive: true }))

function batch(baseOffset: number, values: readonly string[], { epoch = 0, timestamp = 10 } = {}): Buffer {
  return buildBatch(values.map((value) => ({ timestamp, key: null, value: Buffer.from(value) })), { baseOffset, partitionLeaderEpoch: epoch })
}

function int32(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4)
  numbers.forEach((number, index) => bytes.writeInt32BE(number, index * 4))
  return bytes
}

interface Files {
  readonly log: Buffer
  readonly index?: Buffer
  readonly timeIndex?: Buffer
  readonly epochs?: string
}

function scan({ log, index, timeIndex, epochs = '0\n1\n0 0\n' }: Files, nodeId = 1): ScannedReplica {
  writeFileSync(join(directory, `${SEGMENT}.log`), log)
  writeFileSync(join(directory, `${SEGMENT}.index`), index ?? '')
  writeFileSync(join(directory, `${SEGMENT}.timeindex`), timeIndex ?? '')
  writeFileSync(join(directory, 'leader-epoch-checkpoint'), epochs)
  return scanReplica(nodeId, directory)
}

const first = batch(0, ['a', 'b'])
const second = batch(2, ['c'], { timestamp: 20 })
const log = Buffer.concat([first, second])

test('replicas that are as they should be', () => {
  expect(scan({ log }).problems).toEqual([])
  expect(scan({ log, index: int32(2, first.length), timeIndex: Buffer.concat([int32(0, 20), int32(2)]) }).problems).toEqual([])
  expect(scan({ log: Buffer.concat([first, batch(2, ['c'], { epoch: 3 })]), epochs: '0\n2\n0 0\n3 2\n' }).problems).toEqual([])
  expect(scan({ log: Buffer.alloc(0), epochs: '0\n0\n' }).problems).toEqual([])
})

test.each<[string, Files]>([
  ['a flipped bit', { log: Buffer.concat([first, Buffer.from(second).fill(1, second.length - 1)]) }],
  ['a torn tail', { log: log.subarray(0, -3) }],
  ['a hole in the offsets', { log: Buffer.concat([first, batch(5, ['c'])]) }],
  ['an index entry into the middle of a batch', { log, index: int32(2, first.length + 1) }],
  ['an index entry with a wrong offset', { log, index: int32(1, first.length) }],
  ['an index that does not ascend', { log, index: int32(2, first.length, 1, 0) }],
  ['a time index with a wrong time', { log, timeIndex: Buffer.concat([int32(0, 19), int32(2)]) }],
  ['an epoch that the checkpoint does not know', { log: Buffer.concat([first, batch(2, ['c'], { epoch: 3 })]) }],
  ['an epoch that begins too late', { log: Buffer.concat([first, batch(2, ['c'], { epoch: 3 })]), epochs: '0\n2\n0 0\n3 3\n' }],
  ['epochs that do not ascend', { log, epochs: '0\n2\n0 0\n0 9\n' }],
])('flags %s', (_, files) => {
  expect(scan(files).problems.length).toBeGreaterThan(0)
})

test('equal replicas pass, also when one has more than is committed', () => {
  const one = scan({ log }, 1)
  expect(compareReplicas('p', [one, scan({ log }, 2)], 3)).toEqual([])
  expect(compareReplicas('p', [one, scan({ log: first }, 2)], 2)).toEqual([])
  expect(compareReplicas('p', [one], 3)).toEqual([])
})

test('replicas that differ, are short or cut their batches differently are flagged', () => {
  const one = scan({ log }, 1)
  expect(compareReplicas('p', [one, scan({ log: Buffer.concat([first, batch(2, ['x'], { timestamp: 20 })]) }, 2)], 3)).toHaveLength(1)
  expect(compareReplicas('p', [one, scan({ log: first }, 2)], 3)).toHaveLength(1)
  expect(compareReplicas('p', [one, scan({ log: Buffer.concat([batch(0, ['a']), batch(1, ['b']), second]) }, 2)], 3)).toHaveLength(1)
  expect(compareReplicas('p', [one, scan({ log: Buffer.concat([first, batch(2, ['c'], { epoch: 1, timestamp: 20 })]) }, 2)], 3)).toHaveLength(1)
})
