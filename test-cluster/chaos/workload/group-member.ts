import {
  errorName, heartbeatRequestCodec, heartbeatResponseCodec, joinGroupRequestCodec, joinGroupResponseCodec, leaveGroupRequestCodec,
  leaveGroupResponseCodec, offsetCommitRequestCodec, offsetCommitResponseCodec, syncGroupRequestCodec, syncGroupResponseCodec,
} from '@kavka/protocol'
import type { JoinGroupResponse } from '@kavka/protocol'
import { isDefinite } from '../history/definite-errors.ts'
import { errorOf } from './broker-link.ts'
import { countError } from './client-process.ts'
import type { ClientProcess, WorkloadContext } from './client-process.ts'
import { CoordinatorLink } from './coordinator-link.ts'
import { pauseMs } from './patience.ts'

const SESSION_MS = 6000
const REBALANCE_MS = 3000
const EVERY_MS = 200
/** Per heartbeat: leaves, and comes again later. */
const LEAVE_SHARE = 0.01

export interface MemberOptions {
  readonly group: string
  readonly name: string
  readonly partitions: number
}

interface Membership {
  readonly memberId: string
  readonly generation: number
  readonly partitions: readonly number[]
}

/** A member of a classic consumer group that commits for what it owns and now and then leaves. */
export class GroupMember implements ClientProcess {
  readonly #options: MemberOptions
  readonly #context: WorkloadContext
  readonly #link: CoordinatorLink
  #memberId = ''
  #offset = 0
  #stopped = false

  constructor(options: MemberOptions, context: WorkloadContext) {
    this.#options = options
    this.#context = context
    this.#link = new CoordinatorLink(options.group, context)
  }

  stop(): void {
    this.#stopped = true
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#link.connect()
        const membership = await this.#join()
        if (membership !== null) await this.#live(membership)
      } catch (error) {
        countError(this.#context, errorOf(error))
        this.#link.forget()
      }
      await pauseMs(EVERY_MS)
    }
    this.#link.forget()
  }

  async #join(): Promise<Membership | null> {
    const { group, name } = this.#options
    const operation = this.#context.history.draft({ f: 'assigned', process: name, group, member: '', generation: -1, keys: [] })
    const joined = await this.#link.request(joinGroupRequestCodec, joinGroupResponseCodec, 7, {
      groupId: group, sessionTimeoutMs: SESSION_MS, rebalanceTimeoutMs: REBALANCE_MS, memberId: this.#memberId, protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from(name) }],
    })
    if (joined.memberId !== '') this.#memberId = joined.memberId
    if (joined.errorCode !== 0) return this.#refused('join', errorName(joined.errorCode))
    const synced = await this.#link.request(syncGroupRequestCodec, syncGroupResponseCodec, 5, {
      groupId: group, generationId: joined.generationId, memberId: joined.memberId, protocolType: 'consumer', protocolName: 'range',
      assignments: joined.leader === joined.memberId ? shares(joined, this.#options.partitions) : [],
    })
    if (synced.errorCode !== 0) return this.#refused('sync', errorName(synced.errorCode))
    const partitions = [...synced.assignment]
    operation.ok({ member: joined.memberId, generation: joined.generationId, keys: partitions.map((partition) => `${group}/${partition}`) })
    return { memberId: joined.memberId, generation: joined.generationId, partitions }
  }

  async #live(membership: Membership): Promise<void> {
    const { group } = this.#options
    while (!this.#stopped) {
      if (this.#context.random() < LEAVE_SHARE) return this.#leave()
      for (const partition of membership.partitions) await this.#commit(membership, partition)
      const { errorCode } = await this.#link.request(heartbeatRequestCodec, heartbeatResponseCodec, 4, {
        groupId: group, generationId: membership.generation, memberId: membership.memberId,
      })
      if (errorCode !== 0) {
        this.#refused('heartbeat', errorName(errorCode))
        return
      }
      await pauseMs(EVERY_MS * (0.5 + this.#context.random()))
    }
    await this.#leave()
  }

  async #leave(): Promise<void> {
    await this.#link.request(leaveGroupRequestCodec, leaveGroupResponseCodec, 4, { groupId: this.#options.group, members: [{ memberId: this.#memberId }] })
    this.#memberId = ''
  }

  async #commit({ memberId, generation }: Membership, partition: number): Promise<void> {
    const { history, view } = this.#context
    const { group, name } = this.#options
    const operation = history.invoke({ f: 'member-commit', process: name, group, member: memberId, generation, key: `${group}/${partition}` })
    try {
      const { topics } = await this.#link.request(offsetCommitRequestCodec, offsetCommitResponseCodec, 8, {
        groupId: group, generationIdOrMemberEpoch: generation, memberId,
        topics: [{ name: view.topic, partitions: [{ partitionIndex: partition, committedOffset: this.#offset++, committedLeaderEpoch: -1, committedMetadata: '' }] }],
      })
      const error = errorName(topics[0]!.partitions[0]!.errorCode)
      if (error === 'NONE') operation.ok()
      else if (isDefinite(error)) operation.fail(error)
      else operation.info(error)
    } catch (error) {
      operation.info(errorOf(error))
      throw error
    }
  }

  #refused(what: string, error: string): null {
    countError(this.#context, `${what} ${error}`)
    if (error === 'UNKNOWN_MEMBER_ID') this.#memberId = ''
    if (/COORDINATOR/.test(error)) this.#link.forget()
    return null
  }
}

/** Partitions dealt round; an assignment is a byte for each partition. */
function shares({ members }: JoinGroupResponse, partitions: number): { memberId: string; assignment: Buffer }[] {
  return members.map(({ memberId }, index) => ({
    memberId,
    assignment: Buffer.from(Array.from({ length: partitions }, (_, partition) => partition).filter((partition) => partition % members.length === index)),
  }))
}
