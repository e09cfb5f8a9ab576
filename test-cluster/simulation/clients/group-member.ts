/** A member of a consumer group: joins, assigns when it leads, commits, sends heartbeats, dies or leaves, and comes back. */
import type { Random } from '@kavka/kernel'
import { coordinatorPartitionFor, ErrorCode, ZERO_UUID } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { Cluster } from '../cluster.ts'
import type { SimulatedNode } from '../node/simulated-node.ts'
import { assignCooperatively, assignEagerly } from './assignor.ts'
import { Client } from './client.ts'

export const GROUP_TOPIC = 't0'
/** What members share out among themselves; offsets are committed for them, whether the topic has them or not. */
const SHARES = ['0', '1', '2', '3']
export const OFFSETS_TOPIC = '__consumer_offsets'
const SESSION_MS = 3_000
const REBALANCE_MS = 3_000
const REQUEST_TIMEOUT_MS = 5_000
/** After a rebalance, with the generation before it. */
const LATE_COMMIT_PROBABILITY = 0.1

/** What a join was answered, and which generation was stable when it was asked for. */
interface JoinedRound {
  readonly generation: number
  readonly stableWhenAsked: number
}

type Answer<T> = T | null

/** The coordinator moves: membership is as it was. */
const PASSING_ERRORS: ReadonlySet<number> = new Set([
  ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.COORDINATOR_NOT_AVAILABLE,
])

export class GroupMember {
  readonly client: Client
  readonly group: string
  readonly #instanceId: string | null
  /** Of all members of a run: a group has one protocol. */
  readonly #rebalances: 'eagerly' | 'cooperatively'
  #memberId = ''
  generation = -1
  phase: 'out' | 'joining' | 'member' = 'out'
  owned: readonly string[] = []
  mayLeave = true
  /** Ends for good, saying nothing. */
  isRetired = false
  #isFenced = false
  /** Dice of their own. */
  readonly #lateCommits: Random
  #joined = { memberId: '', joinInvokedMs: 0, joinAnsweredMs: 0 }

  /** `instanceId`: of a static member; absent: the dice say. */
  constructor(name: string, address: number, group: string, cluster: Cluster, instanceId?: string) {
    this.client = new Client(name, address, cluster)
    this.group = group
    this.#lateCommits = cluster.world.random(`${name} late commits`)
    const dice = this.client.random.unit()
    this.#instanceId = instanceId ?? (dice < 0.2 ? name : null)
    // What a replaced process was to give up stays with nobody in a cooperative group, until somebody rejoins: doubles are for eager ones.
    const isEager = cluster.swarm.staticDoubles || cluster.world.random('group protocol').unit() < 0.5
    this.#rebalances = isEager ? 'eagerly' : 'cooperatively'
    void this.#loop()
  }

  get isSettled(): boolean {
    return this.phase === 'member'
  }

  async #loop(): Promise<void> {
    const { client } = this
    while (!this.isRetired) {
      await client.process.sleep(this.phase === 'member' ? this.#betweenHeartbeatsMs() : 50 + client.random.unit() * 100)
      if (this.#isFenced) await this.#restart()
      else if (this.phase !== 'member') await this.#join()
      else if (this.mayLeave && client.random.unit() < 0.02) await this.#goAway()
      else if (client.random.unit() < 0.5) await this.#commit()
      else await this.#heartbeat()
      if (client.random.unit() < 0.2) await this.#readBack()
    }
  }

  /** Not much longer in calm runs: the session is short. */
  #betweenHeartbeatsMs(): number {
    const { random, cluster } = this.client
    return (300 + random.unit() * 400) * Math.min(cluster.swarm.tempo.paceFactor, 2)
  }

  async #join(): Promise<void> {
    const { checks } = this
    const stable = checks.stableGeneration(this.group)
    const joinInvokedMs = this.client.cluster.world.nowMs
    this.phase = 'joining'
    const joined = await this.#ask((node) => node.groups!.joinGroup(
      { apiVersion: 9, clientId: this.client.name, clientHost: '/sim' },
      {
        groupId: this.group, sessionTimeoutMs: SESSION_MS, rebalanceTimeoutMs: REBALANCE_MS, memberId: this.#memberId,
        groupInstanceId: this.#instanceId, protocolType: 'consumer', protocols: [{ name: this.#rebalances, metadata: Buffer.from(JSON.stringify(this.owned)) }], reason: null,
      },
    ), REBALANCE_MS + REQUEST_TIMEOUT_MS)
    if (joined === null) return
    if (joined.errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.#memberId = joined.memberId
    if (joined.errorCode !== ErrorCode.NONE) return this.#refused(joined.errorCode)
    const isBack = this.#instanceId !== null && this.#memberId === ''
    if (this.#memberId !== joined.memberId) {
      this.#joined = { memberId: joined.memberId, joinInvokedMs, joinAnsweredMs: this.client.cluster.world.nowMs }
    }
    this.#memberId = joined.memberId
    const assigns = joined.leader === joined.memberId && !joined.skipAssignment
    const assignments = assigns ? this.#assign(joined.members) : []
    await this.#sync({ generation: joined.generationId, stableWhenAsked: stable }, assignments)
    // Its former self may have died with shares given up and the next round not asked for: to tell what it has now asks for one.
    const isUnheard = isBack && this.isSettled && this.owned.length > 0 && this.#rebalances === 'cooperatively'
    if (isUnheard) this.phase = 'out'
  }

  async #sync({ generation, stableWhenAsked }: JoinedRound, assignments: { memberId: string; assignment: Buffer }[]): Promise<void> {
    const askedMs = this.client.cluster.world.nowMs
    const synced = await this.#ask((node) => node.groups!.syncGroup(
      { apiVersion: 5, clientId: this.client.name, clientHost: '/sim' },
      {
        groupId: this.group, generationId: generation, memberId: this.#memberId, groupInstanceId: this.#instanceId,
        protocolType: 'consumer', protocolName: this.#rebalances, assignments,
      },
    ), REQUEST_TIMEOUT_MS)
    if (synced === null) return
    if (synced.errorCode !== ErrorCode.NONE) return this.#refused(synced.errorCode)
    const former = this.generation
    this.generation = generation
    const before = this.owned
    this.owned = synced.assignment.length === 0 ? [] : (JSON.parse(synced.assignment.toString()) as string[])
    this.phase = 'member'
    const revoked = before.filter((share) => !this.owned.includes(share))
    if (this.#rebalances === 'cooperatively' && revoked.length > 0) {
      this.client.cluster.world.probes.hit('share revoked cooperatively')
      this.phase = 'out'
    }
    this.checks.memberSeen(this.group, askedMs)
    this.checks.joined(this.group, generation, stableWhenAsked)
    if (this.#instanceId !== null) this.checks.staticMemberSynced(this.group, this.#instanceId, this.#joined)
    // A static member that starts anew takes the place of its former self, in the same generation (KIP-345).
    this.checks.assigned(this.group, generation, this.#instanceId ?? this.#memberId, this.owned)
    if (former >= 0 && former < generation && this.#lateCommits.unit() < LATE_COMMIT_PROBABILITY) await this.#commitLate(former)
  }

  #assign(members: readonly { readonly memberId: string; readonly metadata: Buffer }[]): { memberId: string; assignment: Buffer }[] {
    const claims = members.map(({ memberId, metadata }) => ({ memberId, owned: JSON.parse(metadata.toString()) as string[] }))
    const assignments = this.#rebalances === 'eagerly' ? assignEagerly(SHARES, claims) : assignCooperatively(SHARES, claims)
    return assignments.map(({ memberId, shares }) => ({ memberId, assignment: Buffer.from(JSON.stringify(shares)) }))
  }

  async #heartbeat(): Promise<void> {
    const askedMs = this.client.cluster.world.nowMs
    const answer = await this.#ask((node) => node.groups!.heartbeat({
      groupId: this.group, generationId: this.generation, memberId: this.#memberId, groupInstanceId: this.#instanceId,
    }), REQUEST_TIMEOUT_MS)
    if (answer?.errorCode === ErrorCode.NONE) this.checks.memberSeen(this.group, askedMs)
    else if (answer !== null) this.#refused(answer.errorCode)
  }

  async #commit(): Promise<void> {
    const { client, checks } = this
    const share = this.owned[client.random.below(Math.max(1, this.owned.length))]
    if (share === undefined) return this.#heartbeat()
    const { generation } = this
    const committer = { memberId: this.#memberId, invokedMs: client.cluster.world.nowMs }
    const value = checks.nextCommitValue()
    const stable = checks.stableGeneration(this.group)
    const commit = checks.commitInvoked(this.group, share, value)
    const errorCode = await this.#askToCommit(share, value, generation)
    if (errorCode === undefined) return client.cluster.world.probes.hit('offset commit out of time')
    if (errorCode === ErrorCode.NONE) {
      if (this.#instanceId !== null) checks.staticMemberCommitted(this.group, this.#instanceId, committer)
      return checks.commitAnswered(this.group, commit, 'ok', generation, stable)
    }
    if (errorCode === ErrorCode.FENCED_INSTANCE_ID) client.cluster.world.probes.hit('commit of a replaced member refused')
    if (isDefinite(errorCode)) {
      client.cluster.world.probes.hit('stale generation refused')
      checks.commitAnswered(this.group, commit, 'refused', generation, stable)
    }
    this.#refused(errorCode)
  }

  /** One that a thread of it asked for before the rebalance goes out after it: the coordinator must refuse it. */
  async #commitLate(generation: number): Promise<void> {
    const { client, checks } = this
    const share = SHARES[this.#lateCommits.below(SHARES.length)]!
    const stable = checks.stableGeneration(this.group)
    const commit = checks.commitInvoked(this.group, share, checks.nextCommitValue())
    const errorCode = await this.#askToCommit(share, commit.value, generation)
    if (errorCode === ErrorCode.NONE) return checks.commitAnswered(this.group, commit, 'ok', generation, stable)
    if (errorCode !== ErrorCode.ILLEGAL_GENERATION) return
    client.cluster.world.probes.hit('late commit of an older generation refused')
    checks.commitAnswered(this.group, commit, 'refused', generation, stable)
  }

  /** The error code; undefined when there was no answer. */
  async #askToCommit(share: string, value: number, generation: number): Promise<number | undefined> {
    const answer = await this.#ask((node) => node.groups!.commitOffsets({ apiVersion: 9, clientId: this.client.name, clientHost: '/sim' }, {
      groupId: this.group, generationIdOrMemberEpoch: generation, memberId: this.#memberId, groupInstanceId: this.#instanceId, retentionTimeMs: -1,
      topics: [{
        name: GROUP_TOPIC, topicId: ZERO_UUID,
        partitions: [{ partitionIndex: Number(share), committedOffset: value, committedLeaderEpoch: -1, committedMetadata: null }],
      }],
    }), REQUEST_TIMEOUT_MS)
    return answer?.topics[0]?.partitions[0]?.errorCode
  }

  async #readBack(): Promise<void> {
    const share = SHARES[this.client.random.below(SHARES.length)]!
    const invokedMs = this.client.cluster.world.nowMs
    const answer = await this.#ask((node) => node.groups!.fetchOffsets({
      groupId: this.group, topics: [{ name: GROUP_TOPIC, topicId: ZERO_UUID, partitionIndexes: [Number(share)] }], stability: 'last-committed',
    }), REQUEST_TIMEOUT_MS)
    const fetched = answer?.topics[0]?.partitions[0]
    if (answer === null || answer.errorCode !== ErrorCode.NONE || fetched === undefined || fetched.errorCode !== ErrorCode.NONE) return
    this.checks.fetched(this.group, share, fetched.committedOffset, invokedMs)
  }

  async #goAway(): Promise<void> {
    const { client } = this
    if (client.random.unit() < 0.5) {
      const members = [{ memberId: this.#memberId, groupInstanceId: this.#instanceId, reason: null }]
      await this.#ask((node) => node.groups!.leaveGroup({ groupId: this.group, members }), REQUEST_TIMEOUT_MS)
      client.cluster.world.probes.hit('group member left')
    } else {
      client.cluster.world.probes.hit('group member died')
    }
    this.#memberId = ''
    this.phase = 'out'
    this.owned = []
    // Long enough, now and then, for a group that nobody is left in to be forgotten.
    const awayMsMax = client.cluster.swarm.offsetsRetentionMs === null ? 4_000 : 12_000
    await client.process.sleep(500 + client.random.unit() * awayMsMax)
  }

  /** Its supervisor starts it again a while after it has met somebody with its name. */
  async #restart(): Promise<void> {
    const { client, mayLeave } = this
    await client.process.sleep(mayLeave ? 500 + client.random.unit() * 3_000 : 100)
    this.#isFenced = false
  }

  #refused(errorCode: number): void {
    if (errorCode === ErrorCode.FENCED_INSTANCE_ID) this.#isFenced = true
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_INSTANCE_ID) {
      this.#memberId = ''
      this.owned = []
    }
    if (this.#rebalances === 'eagerly' && errorCode === ErrorCode.REBALANCE_IN_PROGRESS) this.owned = []
    if (errorCode === ErrorCode.NOT_COORDINATOR) {
      this.client.cluster.world.probes.hit('group coordinator moved')
      this.client.partitions.clear()
    }
    if (PASSING_ERRORS.has(errorCode) && this.phase === 'member') return
    this.phase = 'out'
  }

  async #ask<T>(serve: (node: SimulatedNode) => Promise<T>, timeoutMs: number): Promise<Answer<T>> {
    const coordinator = await this.#coordinator()
    if (coordinator === null) return null
    const answer = await this.client.call(coordinator, timeoutMs, serve)
    if (answer === null) this.client.partitions.clear()
    return answer
  }

  async #coordinator(): Promise<NodeId | null> {
    const { client } = this
    if (client.partitions.size === 0) await client.refresh()
    const count = [...client.partitions.keys()].filter((name) => name.startsWith(`${OFFSETS_TOPIC}-`)).length
    if (count === 0) {
      client.partitions.clear()
      return null
    }
    const info = client.partitions.get(`${OFFSETS_TOPIC}-${coordinatorPartitionFor(this.group, count)}`)
    if (info?.leader === undefined || info.leader === null) client.partitions.clear()
    return info?.leader ?? null
  }

  get checks(): Cluster['groups'] {
    return this.client.cluster.groups
  }
}

/** Nothing was stored, and nothing will be. */
function isDefinite(errorCode: number): boolean {
  return errorCode === ErrorCode.ILLEGAL_GENERATION || errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_INSTANCE_ID ||
    errorCode === ErrorCode.REBALANCE_IN_PROGRESS
}
