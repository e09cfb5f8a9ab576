import type { NodeId } from '@kavka/protocol'
import type { Admin } from '../clients/admin.ts'
import type { Cluster } from '../cluster.ts'
import type { PlannedFault } from './fault-plan.ts'
import { reassign } from './reassign.ts'

interface Partition {
  readonly replicas: readonly number[]
  readonly addingReplicas?: readonly number[]
  readonly removingReplicas?: readonly number[]
}

/** What the administrator asks for a partition of three nodes of which some have damaged disks. `die`: how many replicas are wanted. */
async function asked(kind: 'reassign' | 'cancel-reassignment', partition: Partition, damaged: readonly number[], die: number): Promise<(string | null)[]> {
  const registration = { partition: 0, addingReplicas: [], removingReplicas: [], ...partition }
  const cluster = {
    nodeIds: [1, 2, 3],
    image: { topics: { byId: new Map([['id', { name: 't', partitions: [registration] }]]) } },
    replication: { disks: { mayLack: (id: NodeId) => damaged.includes(id) } },
  } as unknown as Cluster
  const targets: (string | null)[] = []
  const admin = {
    reassign: (_where: unknown, target: readonly NodeId[] | null) => Promise.resolve(void targets.push(target?.join() ?? null)),
    listReassignments: () => Promise.resolve(),
  } as unknown as Admin
  // The last die orders the nodes: 1, 2, 3.
  await reassign(cluster, admin, { kind, atMs: 0, durationMs: 0, dice: [0, 0, die, 0.0001] } as PlannedFault)
  return targets
}

const FEWER = 0.1
const AS_MANY = 0.3

test('good copies are not given up for a damaged one', async () => {
  expect(await asked('reassign', { replicas: [1, 2] }, [1], FEWER)).toEqual([])
  expect(await asked('cancel-reassignment', { replicas: [1, 2] }, [1], FEWER)).toEqual([])
})

test('a good copy may be the only one, and who is new makes one', async () => {
  expect(await asked('reassign', { replicas: [1, 2] }, [2], FEWER)).toEqual(['1'])
  expect(await asked('reassign', { replicas: [1, 2] }, [1], AS_MANY)).toEqual(['1,2'])
  expect(await asked('reassign', { replicas: [2, 3] }, [1], FEWER)).toEqual(['1'])
})

test('those who joined are not sent away when only damaged ones stay', async () => {
  const moving = { replicas: [2, 1], addingReplicas: [2], removingReplicas: [1] }
  expect(await asked('cancel-reassignment', moving, [1], AS_MANY)).toEqual([])
  expect(await asked('cancel-reassignment', moving, [2], AS_MANY)).toEqual([null])
})
