/** Commits offsets for a group that has no members, as tools do and consumers that assign partitions themselves, and reads them back. */
import { coordinatorPartitionFor, ErrorCode, ZERO_UUID } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { Cluster } from '../cluster.ts'
import { GROUP_TOPIC, OFFSETS_TOPIC } from './group-member.ts'
import { Client } from './client.ts'

export const KEPT_GROUP = 'kept'
const NO_GENERATION = -1
const PARTITION = '0'
const REQUEST_TIMEOUTS_MS = [700, 5_000]
/** Long enough now and then that what was committed expires. */
const PAUSE_MS_MAX = 9_000

/** Works until the run ends. */
export function startOffsetKeeper(name: string, address: number, cluster: Cluster): void {
  void new OffsetKeeper(name, address, cluster).loop()
}

/** Reads what the keeper commits, from the coordinator that it knows until that one says that it is none. Works until the run ends. */
export function startOffsetReader(name: string, address: number, cluster: Cluster): void {
  void new OffsetReader(name, address, cluster).loop()
}

/** One that talks to the coordinator of its group. */
class OffsetClient {
  readonly client: Client
  readonly requestTimeoutMs: number

  constructor(name: string, address: number, cluster: Cluster) {
    this.client = new Client(name, address, cluster)
    this.requestTimeoutMs = REQUEST_TIMEOUTS_MS[this.client.random.below(REQUEST_TIMEOUTS_MS.length)]!
  }

  async readBack(): Promise<number | null> {
    const coordinator = await this.coordinator()
    if (coordinator === null) return null
    const { client } = this
    const invokedMs = client.cluster.world.nowMs
    const answer = await client.call(coordinator, this.requestTimeoutMs, (node) => node.groups!.fetchOffsets({
      groupId: KEPT_GROUP, topics: [{ name: GROUP_TOPIC, topicId: ZERO_UUID, partitionIndexes: [Number(PARTITION)] }], stability: 'last-committed',
    }))
    const fetched = answer?.topics[0]?.partitions[0]
    if (answer?.errorCode === ErrorCode.NONE && fetched?.errorCode === ErrorCode.NONE) {
      client.cluster.groups.fetched(KEPT_GROUP, PARTITION, fetched.committedOffset, invokedMs)
    }
    return answer === null ? null : answer.errorCode || (fetched?.errorCode ?? ErrorCode.NONE)
  }

  async coordinator(): Promise<NodeId | null> {
    const { client } = this
    if (client.partitions.size === 0) await client.refresh()
    const count = [...client.partitions.keys()].filter((name) => name.startsWith(`${OFFSETS_TOPIC}-`)).length
    const leader = count === 0 ? null : client.partitions.get(`${OFFSETS_TOPIC}-${coordinatorPartitionFor(KEPT_GROUP, count)}`)?.leader ?? null
    if (leader === null) client.partitions.clear()
    return leader
  }
}

class OffsetReader extends OffsetClient {
  async loop(): Promise<void> {
    const { client } = this
    for (;;) {
      await client.pause(150 + 300 * client.random.unit())
      const errorCode = await this.readBack()
      const isElsewhere = errorCode === ErrorCode.NOT_COORDINATOR || (errorCode !== ErrorCode.NONE && client.random.unit() < 0.2)
      if (isElsewhere) client.partitions.clear()
    }
  }
}

class OffsetKeeper extends OffsetClient {

  async loop(): Promise<void> {
    const { client } = this
    for (;;) {
      await client.process.sleep(client.random.unit() < 0.1 ? client.random.unit() * PAUSE_MS_MAX : 400)
      if (client.random.unit() < 0.4) await this.#commit()
      else if ((await this.readBack()) !== ErrorCode.NONE) client.partitions.clear()
    }
  }

  async #commit(): Promise<void> {
    const coordinator = await this.coordinator()
    if (coordinator === null) return
    const { client } = this
    const { groups } = client.cluster
    const value = groups.nextCommitValue()
    const commit = groups.commitInvoked(KEPT_GROUP, PARTITION, value)
    const answer = await client.call(coordinator, this.requestTimeoutMs, (node) => node.groups!.commitOffsets({ apiVersion: 9, clientId: client.name, clientHost: '/sim' }, {
      groupId: KEPT_GROUP, generationIdOrMemberEpoch: NO_GENERATION, memberId: '', groupInstanceId: null, retentionTimeMs: -1,
      topics: [{
        name: GROUP_TOPIC, topicId: ZERO_UUID,
        partitions: [{ partitionIndex: Number(PARTITION), committedOffset: value, committedLeaderEpoch: -1, committedMetadata: null }],
      }],
    }))
    if (answer?.topics[0]?.partitions[0]?.errorCode === ErrorCode.NONE) groups.commitAnswered(KEPT_GROUP, commit, 'ok', NO_GENERATION, NO_GENERATION)
    else client.partitions.clear()
  }
}
