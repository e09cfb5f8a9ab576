/** What lies on the disks of nodes beside what they know of it: judged once all is still, and epochs whenever they are written. */
import type { Cluster } from '../../cluster.ts'
import type { Machine } from '../../node/machine.ts'
import type { ObservedReplica } from '../../node/observed-logs.ts'

const DATA = '/data'

/** S4, of every log that is whole and still there. */
export function judgeIndexes(cluster: Cluster): void {
  for (const { id, logs } of cluster.nodes()) {
    const machine = cluster.machine(id)
    const isSound = (name: string): boolean => {
      return [...(logs?.replicas ?? [])].some(({ topicPartition: { topic, partition }, log }) => `${topic}-${partition}` === name && log.corruption === null)
    }
    cluster.indexes.ofNode(id, machine.disk, DATA, (name) => !isRotten(machine, `${DATA}/${name}`) && isSound(name))
  }
}

/** S4, of a log that was just cut. */
export function judgeShortened(cluster: Cluster, { nodeId, log: { directory, corruption } }: ObservedReplica): void {
  const machine = cluster.machine(nodeId)
  if (corruption === null && !isRotten(machine, directory)) cluster.indexes.ofShortened(nodeId, machine.disk, directory)
}

/** S12, and S9 of the files of every log. */
export function judgeDirectories(cluster: Cluster): void {
  for (const { id, logs } of cluster.nodes()) {
    const machine = cluster.machine(id)
    const { disk } = machine
    const names = disk.exists(DATA) ? disk.list(DATA).filter((name) => disk.isDirectory(`${DATA}/${name}`)) : []
    const inUse = new Map([...(logs?.replicas ?? [])].map((replica) => [replica.log.directory, replica]))
    cluster.deleted.atQuiescence(id, names.map((name) => ({ name, path: `${DATA}/${name}` })), (name) => {
      const replica = inUse.get(`${DATA}/${name}`)
      return replica !== undefined && cluster.image.topics.byId.has(replica.topicId)
    })
    for (const replica of inUse.values()) if (!isRotten(machine, replica.log.directory)) cluster.replication.onDisk(replica, disk)
  }
}

/** S11: `path` is that of a leader epoch checkpoint that was just put in its place. Where there is no such topic any more there is nothing to judge it by. */
export function judgeEpochs(cluster: Cluster, { id, disk, node }: Machine, path: string): void {
  const directory = path.slice(0, path.lastIndexOf('/'))
  const replica = [...(node?.logs?.replicas ?? [])].find(({ log }) => log.directory === directory)
  const registration = replica === undefined ? undefined : cluster.image.topics.byId.get(replica.topicId)?.partitions[replica.topicPartition.partition]
  if (registration !== undefined) cluster.deleted.epochsWritten(id, path, epochsIn(disk.peek(path)), registration.leaderEpoch)
}

/** Below its version and count a line for each, the epoch first. */
function epochsIn(content: Buffer): number[] {
  return content.toString().trim().split('\n').slice(2).map((line) => Number(line.split(' ')[0]))
}

function isRotten({ rottenFiles }: Machine, directory: string): boolean {
  return [...rottenFiles].some((path) => path.startsWith(`${directory}/`))
}
