import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBatch } from '@kavka/protocol'
import type { ChaosNode } from '../cluster/chaos-cluster.ts'
import type { Rot } from '../nemeses/bit-flips.ts'
import { checkDisks } from './disk-check.ts'

let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kavka-disks-'))
})

afterEach(() => rmSync(home, { recursive: true }))

/** A node whose copy of `t-0` holds one record, or that has none. */
function node(nodeId: number, value: string | null): ChaosNode {
  const dataDirectory = join(home, String(nodeId))
  const partition = join(dataDirectory, 't-0')
  mkdirSync(value === null ? dataDirectory : partition, { recursive: true })
  if (value !== null) {
    const batch = buildBatch([{ timestamp: 1, key: null, value: Buffer.from(value) }], { baseOffset: 0, partitionLeaderEpoch: 0 })
    writeFileSync(join(partition, '00000000000000000000.log'), batch)
    writeFileSync(join(partition, 'leader-epoch-checkpoint'), '0\n1\n0 0\n')
  }
  return { nodeId, dataDirectory } as ChaosNode
}

const options = { topic: 't', ends: [1], rot: [], replicasOf: () => [1, 2] }
const check = (nodes: readonly ChaosNode[]): readonly string[] => checkDisks(nodes, options).problems
const LOG = 't-0/00000000000000000000.log'

function flip({ nodeId, dataDirectory }: ChaosNode, at: number, mask: number): Rot {
  const path = join(dataDirectory!, LOG)
  const bytes = readFileSync(path)
  bytes[at]! ^= mask
  writeFileSync(path, bytes)
  return { nodeId, file: LOG, at, mask }
}

test('equal replicas pass, whatever nodes have that keep none', () => {
  expect(check([node(1, 'a'), node(2, 'a'), node(3, null)])).toEqual([])
  expect(check([node(1, 'a'), node(2, 'a'), node(4, 'x')])).toEqual([])
})

test('replicas that differ or are missing are found', () => {
  expect(check([node(1, 'a'), node(2, 'b')])).toHaveLength(1)
  expect(check([node(1, 'a'), node(3, null)])).toEqual([])
  rmSync(join(home, '2'), { recursive: true, force: true })
  expect(check([node(1, 'a'), node(2, null)]).join()).toMatch(/directory is missing.*node 2 ends at 0/)
})

test('a bit that rotted on purpose and lies as it was left is counted; any other damage is found, beside it too', () => {
  const rot = [flip(node(2, 'a'), 65, 4)]
  expect(checkDisks([node(1, 'a'), { nodeId: 2, dataDirectory: join(home, '2') } as ChaosNode], { ...options, rot })).toEqual({ problems: [], unread: 1 })
  expect(checkDisks([node(1, 'a'), { nodeId: 2, dataDirectory: join(home, '2') } as ChaosNode], options).problems.join()).toMatch(/bad checksum.*differ/)
  flip({ nodeId: 2, dataDirectory: join(home, '2') } as ChaosNode, 66, 4)
  expect(checkDisks([node(1, 'a'), { nodeId: 2, dataDirectory: join(home, '2') } as ChaosNode], { ...options, rot }).problems.join()).toMatch(/bad checksum.*differ/)
})

test('rot that was filled again from the others is not there any more, and its place may hold other bits', () => {
  const rot = [flip(node(2, 'a'), 65, 4)]
  expect(checkDisks([node(1, 'b'), node(2, 'b')], { ...options, rot })).toEqual({ problems: [], unread: 0 })
})
