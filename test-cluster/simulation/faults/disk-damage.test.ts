import type { NodeId } from '@kavka/protocol'
import type { Cluster } from '../cluster.ts'
import { DiskDamage } from './disk-damage.ts'
import type { PlannedFault } from './fault-plan.ts'

interface Partition {
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly removingReplicas?: readonly number[]
}

/** Whether the disk of node 1 is wiped in a cluster of three sound nodes with that partition. */
function isWiped(partition: Partition): boolean {
  let isDone = false
  const machine = {
    node: { isServing: true, process: { isPaused: false } }, stopLosing: null, crashIn: null, isStopping: false,
    disk: { armedFaults: 0 }, store: { armedFaults: 0 },
  }
  const cluster = {
    nodeIds: [1, 2, 3],
    image: { topics: { byId: new Map([['id', { name: 't', partitions: [{ partition: 0, removingReplicas: [], ...partition }] }]]) } },
    nodes: () => [],
    node: () => machine.node,
    machine: () => machine,
    network: { isBlocked: () => false },
    replication: { disks: { hasRotten: () => false, isDamaged: () => false } },
    world: { nowMs: 0, probes: { hit: () => undefined } },
    kill: () => undefined,
    wipe: () => {
      isDone = true
    },
    restartLater: () => undefined,
  } as unknown as Cluster
  new DiskDamage(cluster).wipe(1 as NodeId, { kind: 'wipe', atMs: 0, durationMs: 0, dice: [] } as PlannedFault)
  return isDone
}

test.each([
  ['while another is in sync', { replicas: [1, 2], isr: [1, 2] }, true],
  ['which is not there', { replicas: [2, 3], isr: [2] }, true],
  ['not when nobody else is in sync', { replicas: [1, 2], isr: [1] }, false],
  ['not when all others in sync are to leave', { replicas: [1, 3, 2], isr: [1, 2], removingReplicas: [2] }, false],
  ['when one of them stays', { replicas: [1, 3, 2], isr: [1, 2, 3], removingReplicas: [2] }, true],
])('a disk with a partition is lost %s', (_name, partition, expected) => {
  expect(isWiped(partition)).toBe(expected)
})
