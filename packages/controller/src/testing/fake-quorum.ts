/** For tests of this package: a quorum whose leadership and commits a test moves by hand. */
import { assert, failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import type {
  AcceptedProposals,
  ProposalError,
  QuorumState,
  QuorumStateMachine,
} from '../quorum/driver-contract.ts'
import type { Entry } from '../raft/messages.ts'

export class FakeQuorum {
  readonly log: Entry[] = []
  #committedEnd = 0
  #epoch = 0 as LeaderEpoch
  #leaderId: NodeId | null = null
  /** Proposals refused from now on, as a full driver does. */
  refuses = false
  appends = 0
  /** Wall-clock times of the other voters' last fetches; without any this node is the only voter. */
  otherFetchesMs: readonly number[] = []
  readonly #nodeId: NodeId
  readonly #machine: QuorumStateMachine

  constructor(nodeId: NodeId, machine: QuorumStateMachine) {
    this.#nodeId = nodeId
    this.#machine = machine
  }

  get state(): QuorumState {
    return {
      kind: this.#leaderId === this.#nodeId ? 'leader' : 'follower',
      epoch: this.#epoch,
      leaderId: this.#leaderId,
      highWatermark: this.#committedEnd as Offset,
      logEndOffset: this.log.length as Offset,
      voterIds: [this.#nodeId, ...this.otherFetchesMs.map((_, index) => (900 + index) as NodeId)],
      voters: [
        { nodeId: this.#nodeId, logEndOffset: this.log.length as Offset, lastFetchMs: 5, lastCaughtUpMs: 4 },
        ...this.otherFetchesMs.map((lastFetchMs, index) => {
          return { nodeId: (900 + index) as NodeId, logEndOffset: 0 as Offset, lastFetchMs, lastCaughtUpMs: lastFetchMs }
        }),
      ],
      observers: [],
    }
  }

  append(epoch: LeaderEpoch, payloads: readonly Uint8Array[]): Result<AcceptedProposals, ProposalError> {
    if (this.refuses) return failure('too-many-pending')
    if (this.#leaderId !== this.#nodeId || epoch !== this.#epoch) return failure('not-leader')
    this.appends++
    const baseOffset = this.log.length as Offset
    for (const payload of payloads) this.#push('data', payload)
    return success({ baseOffset, epoch, committed: new Promise(() => {}) })
  }

  /** Elected; the entry that begins the epoch is appended, not committed. */
  lead(): void {
    this.#setRole(this.#nodeId)
    this.#push('leader-change', new Uint8Array(4))
  }

  /** Another node leads; what was not committed is replaced. */
  follow(leaderId: number): void {
    this.#setRole(leaderId as NodeId)
    this.log.length = this.#committedEnd
  }

  commit(end = this.log.length): void {
    assert(end <= this.log.length, 'committed beyond the log')
    const entries = this.log.slice(this.#committedEnd, end)
    this.#committedEnd = end
    this.#machine.onCommitted(entries)
  }

  #setRole(leaderId: NodeId): void {
    this.#epoch = (this.#epoch + 1) as LeaderEpoch
    this.#leaderId = leaderId
    this.#machine.onRoleChange({ kind: this.state.kind, epoch: this.#epoch, leaderId })
  }

  #push(kind: Entry['kind'], payload: Uint8Array): void {
    this.log.push({ offset: this.log.length as Offset, epoch: this.#epoch, kind, payload })
  }
}
