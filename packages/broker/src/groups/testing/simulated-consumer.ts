/**
 * A consumer as the coordinator sees one: joins, assigns when it leads, sends heartbeats, starts over when
 * told to. For tests.
 */
import { ErrorCode } from '@kavka/protocol'
import type { JoinGroupAnswer, SyncGroupAnswer } from '../group-coordinator-api.ts'
import type { CoreHarness } from './core-harness.ts'
import { subscription } from './core-harness.ts'

export const GROUP = 'g'
export const PARTITIONS = 6
const SESSION_MS = 6_000
const REBALANCE_MS = 8_000

type Phase =
  | { readonly kind: 'out' }
  | { readonly kind: 'joining'; readonly correlation: number }
  | { readonly kind: 'syncing'; readonly correlation: number }
  | { readonly kind: 'member' }
  /** Gone without a word. */
  | { readonly kind: 'crashed' }

export class SimulatedConsumer {
  readonly name: string
  readonly instanceId: string | null
  memberId = ''
  generationId = -1
  phase: Phase = { kind: 'out' }
  /** What it believes to own. */
  assignment: readonly number[] = []
  readonly #harness: CoreHarness
  readonly #onAssigned: (consumer: SimulatedConsumer) => void

  constructor(name: string, instanceId: string | null, harness: CoreHarness, onAssigned: (consumer: SimulatedConsumer) => void) {
    this.name = name
    this.instanceId = instanceId
    this.#harness = harness
    this.#onAssigned = onAssigned
  }

  get isAlive(): boolean {
    return this.phase.kind !== 'crashed'
  }

  join(): void {
    const metadata = subscription(['t'])
    const correlation = this.#harness.call<JoinGroupAnswer>((core, id, now) =>
      core.joinGroup(
        id,
        { apiVersion: 9, clientId: this.name, clientHost: '/127.0.0.1' },
        {
          groupId: GROUP,
          sessionTimeoutMs: SESSION_MS,
          rebalanceTimeoutMs: REBALANCE_MS,
          memberId: this.memberId,
          groupInstanceId: this.instanceId,
          protocolType: 'consumer',
          protocols: [{ name: 'range', metadata }],
          reason: null,
        },
        now,
      ),
    )
    this.phase = { kind: 'joining', correlation }
  }

  /** A process of the same instance id starts anew: it knows no member id. */
  restart(): void {
    this.memberId = ''
    this.generationId = -1
    this.assignment = []
    this.join()
  }

  leave(): void {
    const members = [{ memberId: this.memberId, groupInstanceId: this.instanceId, reason: null }]
    this.#harness.core.leaveGroup({ groupId: GROUP, members }, this.#harness.now)
    this.#harness.drain()
    this.phase = { kind: 'crashed' }
  }

  heartbeat(): void {
    if (this.phase.kind !== 'member') return
    const request = { groupId: GROUP, generationId: this.generationId, memberId: this.memberId, groupInstanceId: this.instanceId }
    const { errorCode } = this.#harness.core.heartbeat(request, this.#harness.now)
    this.#harness.drain()
    if (errorCode !== ErrorCode.NONE) this.#startOver(errorCode)
  }

  /** Reads answers that have come. */
  poll(): void {
    if (this.phase.kind !== 'joining' && this.phase.kind !== 'syncing') return
    const { kind, correlation } = this.phase
    if (!this.#harness.answers.has(correlation)) return
    const body = this.#harness.answers.get(correlation)
    if (kind === 'joining') this.#joined(body as JoinGroupAnswer)
    else this.#synced(body as SyncGroupAnswer)
  }

  /** The coordinator moved: what was parked there was answered NOT_COORDINATOR. */
  coordinatorMoved(): void {
    if (this.phase.kind === 'joining' || this.phase.kind === 'syncing') this.join()
  }

  #joined(answer: JoinGroupAnswer): void {
    if (answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      this.memberId = answer.memberId
      this.join()
    } else if (answer.errorCode !== ErrorCode.NONE) {
      this.#startOver(answer.errorCode)
    } else {
      this.memberId = answer.memberId
      this.generationId = answer.generationId
      this.#sync(answer)
    }
  }

  #sync(answer: JoinGroupAnswer): void {
    const assigns = answer.leader === answer.memberId && !answer.skipAssignment
    const assignments = assigns ? assign(answer.members.map(({ memberId }) => memberId)) : []
    const correlation = this.#harness.call<SyncGroupAnswer>((core, id) =>
      core.syncGroup(id, {
        groupId: GROUP,
        generationId: this.generationId,
        memberId: this.memberId,
        groupInstanceId: this.instanceId,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments,
      }),
    )
    this.phase = { kind: 'syncing', correlation }
  }

  #synced({ errorCode, assignment }: SyncGroupAnswer): void {
    if (errorCode !== ErrorCode.NONE) {
      this.#startOver(errorCode)
      return
    }
    this.phase = { kind: 'member' }
    this.assignment = assignment.length === 0 ? [] : (JSON.parse(assignment.toString()) as number[])
    this.#onAssigned(this)
  }

  #startOver(errorCode: number): void {
    const isFenced = errorCode === ErrorCode.FENCED_INSTANCE_ID
    if (isFenced) {
      this.phase = { kind: 'crashed' }
      return
    }
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) this.memberId = ''
    if (errorCode !== ErrorCode.REBALANCE_IN_PROGRESS) this.assignment = []
    this.join()
  }
}

function assign(memberIds: readonly string[]): { memberId: string; assignment: Buffer }[] {
  return memberIds.map((memberId, index) => {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
    const owned = partitions.filter((partition) => partition % memberIds.length === index)
    return { memberId, assignment: Buffer.from(JSON.stringify(owned)) }
  })
}
