/**
 * KRaft-shaped Raft without IO: messages, time and "this is durable now" go in, a `Ready` comes out. See README.md.
 * This file only hands inputs to the parts; what they share is in context.ts.
 */
import { assert, failure, success } from '@kavka/kernel'
import type { Random, Result } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import { epochOf, envelope, withJitter } from './context.ts'
import type { RaftContext } from './context.ts'
import { countOwnVote, handleVoteRequest, handleVoteResponse, sendVoteRequest } from './election.ts'
import { handleFetchRequest, handleFetchSnapshotRequest } from './fetch-serving.ts'
import { advanceHighWatermark, announce, appendAsLeader, resign } from './leadership.ts'
import { ENTRY_BYTES_MAX } from './messages.ts'
import type { BeginQuorumEpoch, Entry, RaftMessage } from './messages.ts'
import { assertRaftOptions } from './options.ts'
import type { RaftOptions } from './options.ts'
import { Outbox } from './outbox.ts'
import { answerNews } from './parked-fetches.ts'
import type { Progress } from './progress.ts'
import { isReplica, loseLeader, sendFetch } from './pull-requests.ts'
import { handleEndQuorumEpoch, handleFetchResponse } from './pulling.ts'
import { VoterSet } from './quorum.ts'
import { LOG_ORIGIN, NO_EPOCH, RaftLog, offsetAfter } from './raft-log.ts'
import type { PersistedState, Ready, RoleState } from './ready.ts'
import { roleStateOf } from './roles.ts'
import { handleFetchSnapshotResponse } from './snapshot-download.ts'
import { nextDeadlineMs, runDue } from './timers.ts'
import { becomeLeaderless, isVoter, observeEpoch } from './transitions.ts'

/** A node that never ran. */
export const BLANK_STATE: PersistedState = {
  hardState: { epoch: NO_EPOCH, votedFor: null, leaderId: null },
  snapshot: null,
  logStart: LOG_ORIGIN,
  entries: [],
}

/** Payload bytes handed out as committed in one `Ready`, so that catching up does not take one endless turn. */
const COMMITTED_BYTES_MAX = 8 * 1024 * 1024

export class RaftCore {
  readonly #context: RaftContext
  #applied: Offset
  #reported: RoleState | null = null

  constructor(options: RaftOptions, dependencies: { readonly random: Random }, state: PersistedState, nowMs: number) {
    assertRaftOptions(options)
    assertConsistent(state)
    const voters = new VoterSet(options.voterIds)
    const committed = state.snapshot?.offset ?? LOG_ORIGIN.offset
    this.#context = {
      options,
      random: dependencies.random,
      voters,
      log: new RaftLog(state.logStart, state.entries),
      outbox: new Outbox(state.hardState),
      nowMs,
      hardState: state.hardState,
      role: { kind: 'unattached', electionDeadlineMs: nowMs },
      highWatermark: committed,
      snapshot: state.snapshot,
      suspects: new Set(),
      nextSequence: dependencies.random.below(2 ** 30),
    }
    this.#applied = committed
    becomeLeaderless(this.#context, this.#firstWaitMs())
  }

  get role(): RoleState {
    return roleStateOf(this.#context.role, epochOf(this.#context), this.#context.options.nodeId)
  }

  get highWatermark(): Offset {
    return this.#context.highWatermark
  }

  get logEndOffset(): Offset {
    return this.#context.log.endOffset
  }

  /** The log as it is in memory, for looking only. */
  get log(): Pick<RaftLog, 'start' | 'endOffset' | 'syncedEnd' | 'lastEpoch' | 'epochAt' | 'slice'> {
    return this.#context.log
  }

  /** Offset of the snapshot held, 0 when there is none. */
  get snapshotOffset(): Offset {
    return this.#context.snapshot?.offset ?? LOG_ORIGIN.offset
  }

  /** Everything below was handed out as committed. */
  get appliedOffset(): Offset {
    return this.#applied
  }

  get voterIds(): readonly NodeId[] {
    return this.#context.voters.ids
  }

  /** What the leader knows of its replicas, times in core time; null when this node does not lead. */
  get progress(): { readonly voters: readonly Progress[]; readonly observers: readonly Progress[] } | null {
    const { role } = this.#context
    if (role.kind !== 'leader') return null
    return { voters: [...role.voters.values()], observers: [...role.observers.values()] }
  }

  /** When `advanceTo` is to be called next, if nothing else comes in before. */
  get nextDeadlineMs(): number {
    return nextDeadlineMs(this.#context.role)
  }

  /** Moves the clock and does what has fallen due. Call it before every other input. */
  advanceTo(nowMs: number): void {
    assert(nowMs >= this.#context.nowMs, 'time must not go back', { from: this.#context.nowMs, to: nowMs })
    this.#context.nowMs = nowMs
    runDue(this.#context)
  }

  /** A message came in. Those of another cluster, for another node or from this one are dropped. */
  step(message: RaftMessage): void {
    const context = this.#context
    const { clusterId, nodeId } = context.options
    if (message.clusterId !== clusterId || message.to !== nodeId || message.from === nodeId) return
    if (onlyFromVoters(message) && !context.voters.has(message.from)) return
    context.suspects.delete(message.from)
    observeEpoch(context, message.epoch, leaderNamedBy(message), message.from)
    this.#dispatch(message)
    runDue(context)
  }

  #dispatch(message: RaftMessage): void {
    const context = this.#context
    switch (message.kind) {
      case 'vote-request':
        return handleVoteRequest(context, message)
      case 'vote-response':
        return handleVoteResponse(context, message)
      case 'begin-quorum-epoch':
        return this.#refuseStaleLeader(message)
      case 'begin-quorum-epoch-response':
        // The epoch it carries was all it had to say.
        return
      case 'end-quorum-epoch':
        return handleEndQuorumEpoch(context, message)
      case 'fetch-request':
        return handleFetchRequest(context, message)
      case 'fetch-response':
        return handleFetchResponse(context, message)
      case 'fetch-snapshot-request':
        return handleFetchSnapshotRequest(context, message)
      case 'fetch-snapshot-response':
        return handleFetchSnapshotResponse(context, message)
    }
  }

  #refuseStaleLeader(message: BeginQuorumEpoch): void {
    const context = this.#context
    if (message.epoch >= epochOf(context)) return
    const { leaderId } = this.role
    context.outbox.send({ ...envelope(context, message.from), kind: 'begin-quorum-epoch-response', leaderId })
  }

  /** Appends one entry a payload when this node leads in `epoch`; the offset of the first. */
  propose(epoch: LeaderEpoch, payloads: readonly Uint8Array[]): Result<Offset, 'not-leader'> {
    const context = this.#context
    for (const { length } of payloads) assert(length <= ENTRY_BYTES_MAX, 'an entry is too large', { length })
    if (context.role.kind !== 'leader' || epoch !== epochOf(context)) return failure('not-leader')
    return success(appendAsLeader(context, 'data', payloads))
  }

  /** The write of that id is durable, and its `messagesAfterSync` were sent. */
  persisted(writeId: number): void {
    const context = this.#context
    context.outbox.writeDone(writeId)
    context.log.writeDone()
    countOwnVote(context)
    advanceHighWatermark(context)
  }

  /** The state machine's content after all entries below `offset`, which must be what was applied last. */
  snapshotTaken(offset: Offset, bytes: Uint8Array): void {
    const context = this.#context
    assert(offset === this.#applied, 'a snapshot is of what is applied', { offset, applied: this.#applied })
    assert(offset > this.snapshotOffset, 'a snapshot holds more than the one before')
    const epoch = context.log.epochAt(offsetAfter(offset, -1))
    assert(epoch !== null, 'the last entry of a snapshot is known')
    context.snapshot = { offset, epoch, bytes }
    context.outbox.keepSnapshot(context.snapshot)
    context.log.trimTo(context.log.startRetaining(offset, context.options.logRetainedBytes))
  }

  /** The connection to the node broke and a new one was refused: its process is gone. Never needed for safety. */
  peerUnreachable(nodeId: NodeId): void {
    const context = this.#context
    const { role, options, random } = context
    if (nodeId === options.nodeId) return
    context.suspects.add(nodeId)
    if (!isReplica(role)) return
    const asked = role.pull.kind === 'waiting' ? role.leaderId : role.pull.from
    if (asked === nodeId) loseLeader(context, random.unit() * options.leaderGoneJitterMs)
  }

  /** There is a (new) connection to the node: what was sent before may be lost, so what it should know is said again. */
  peerReachable(nodeId: NodeId): void {
    const context = this.#context
    const { role } = context
    context.suspects.delete(nodeId)
    if (isReplica(role)) {
      if (role.pull.kind === 'fetching' && role.pull.from === nodeId) sendFetch(context, role)
    } else if (!context.voters.has(nodeId)) {
      return
    } else if (role.kind === 'prospective' && !role.granted.has(nodeId)) {
      sendVoteRequest(context, nodeId, 'pre-vote')
    } else if (role.kind === 'candidate' && !role.granted.has(nodeId)) {
      sendVoteRequest(context, nodeId, 'vote')
    } else if (role.kind === 'leader' && nodeId !== context.options.nodeId) {
      announce(context, nodeId)
    }
  }

  /** Gives up leadership, if this node has it, so that another voter takes over at once. */
  resign(): void {
    const { role } = this.#context
    if (role.kind === 'leader') resign(this.#context, role)
  }

  /** All that came up since the last call. Call it after each input, or after several, until it has nothing. */
  ready(): Ready {
    const context = this.#context
    if (context.role.kind === 'leader' && context.role.news) answerNews(context, context.role)
    const snapshotToInstall = context.outbox.takeSnapshotToInstall()
    if (snapshotToInstall !== null) this.#applied = snapshotToInstall.offset
    return {
      ...context.outbox.take(context.log),
      snapshotToInstall,
      committed: this.#takeCommitted(),
      roleChange: this.#takeRoleChange(),
    }
  }

  #takeCommitted(): readonly Entry[] {
    const { log, highWatermark } = this.#context
    assert(highWatermark <= log.endOffset, 'committed beyond the log', { highWatermark, end: log.endOffset })
    assert(this.#applied <= highWatermark, 'applied what is not committed', { applied: this.#applied, highWatermark })
    if (this.#applied === highWatermark) return []
    const entries = log.slice(this.#applied, highWatermark, COMMITTED_BYTES_MAX)
    this.#applied = offsetAfter(this.#applied, entries.length)
    return entries
  }

  #takeRoleChange(): RoleState | null {
    const role = this.role
    const before = this.#reported
    if (before?.kind === role.kind && before.epoch === role.epoch && before.leaderId === role.leaderId) return null
    this.#reported = role
    return role
  }

  #firstWaitMs(): number {
    const context = this.#context
    if (!isVoter(context) || context.voters.isOnly(context.options.nodeId)) return 0
    return withJitter(context, context.options.electionTimeoutAtStartMs)
  }
}

function assertConsistent(state: PersistedState): void {
  const { snapshot, logStart, entries, hardState } = state
  assert(logStart.offset === 0 || snapshot !== null, 'a log that was cut needs a snapshot')
  assert(snapshot === null || snapshot.offset >= logStart.offset, 'a gap between snapshot and log')
  assert(snapshot === null || snapshot.offset <= logStart.offset + entries.length, 'the log ends inside the snapshot')
  const lastEpoch = entries.at(-1)?.epoch ?? logStart.previousEpoch
  assert(lastEpoch <= hardState.epoch, 'the log knows a later epoch than the node', { lastEpoch, epoch: hardState.epoch })
}

/** Observers only pull; anything else from a node that is no voter is not ours. */
function onlyFromVoters(message: RaftMessage): boolean {
  return message.kind !== 'fetch-request' && message.kind !== 'fetch-snapshot-request'
}

function leaderNamedBy(message: RaftMessage): NodeId | null {
  switch (message.kind) {
    case 'begin-quorum-epoch':
      return message.from
    case 'vote-response':
    case 'begin-quorum-epoch-response':
    case 'fetch-response':
    case 'fetch-snapshot-response':
      return message.leaderId
    case 'vote-request':
    case 'end-quorum-epoch':
    case 'fetch-request':
    case 'fetch-snapshot-request':
      return null
  }
}
