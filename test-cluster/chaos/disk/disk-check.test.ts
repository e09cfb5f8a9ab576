import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBatch } from '@kavka/protocol'
import type { ChaosNode } from '../cluster/chaos-cluster.ts'
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

const check = (nodes: readonly ChaosNode[]): string[] => checkDisks(nodes, { topic: 't', ends: [1], replicasOf: () => [1, 2] })

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
