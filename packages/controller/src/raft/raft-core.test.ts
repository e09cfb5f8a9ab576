import { seededRandom } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import type { Envelope, RaftMessage } from './messages.ts'
import { RAFT_DEFAULTS } from './options.ts'
import { BLANK_STATE, RaftCore } from './raft-core.ts'
import type { PersistedState, Ready } from './ready.ts'

const id = (value: number): NodeId => value as NodeId
const epoch = (value: number): LeaderEpoch => value as LeaderEpoch
const offset = (value: number): Offset => value as Offset

function coreOf(nodeId: number, voterIds: number[], state: PersistedState = BLANK_STATE): RaftCore {
  const options = { ...RAFT_DEFAULTS, nodeId: id(nodeId), clusterId: 'c', voterIds: voterIds.map(id) }
  return new RaftCore(options, { random: seededRandom(1) }, state, 0)
}

const from = (node: number, at: number): Envelope => ({ clusterId: 'c', from: id(node), to: id(1), epoch: epoch(at) })

/** Takes all that is ready, as a shell with an instant disk. */
function drain(core: RaftCore): Ready[] {
  const all: Ready[] = []
  for (;;) {
    const ready = core.ready()
    if (ready.write !== null) core.persisted(ready.write.id)
    else if (ready.messages.length === 0 && ready.committed.length === 0) return all
    all.push(ready)
  }
}

const sentBy = (readies: Ready[]): RaftMessage[] => readies.flatMap(({ messages, messagesAfterSync }) => [...messages, ...messagesAfterSync])

function leaderOfThree(): RaftCore {
  const core = coreOf(1, [1, 2, 3])
  core.advanceTo(200)
  drain(core)
  core.step({ ...from(2, 0), kind: 'vote-response', phase: 'pre-vote', granted: true, leaderId: null })
  drain(core)
  core.step({ ...from(2, 1), kind: 'vote-response', phase: 'vote', granted: true, leaderId: null })
  drain(core)
  expect(core.role.kind).toBe('leader')
  return core
}

const fetchOf = (node: number, at: number, fetchOffset: number, lastFetchedEpoch: number, sequence = 1): RaftMessage => ({
  ...from(node, at), kind: 'fetch-request', sequence, fetchOffset: offset(fetchOffset), lastFetchedEpoch: epoch(lastFetchedEpoch),
  bytesMax: 1000, highWatermark: offset(0),
})

test('messages of other clusters, for others, from itself or from strangers change nothing', () => {
  const core = coreOf(1, [1, 2, 3])
  drain(core)
  const begin = { ...from(2, 9), kind: 'begin-quorum-epoch' } as const
  for (const odd of [{ ...begin, clusterId: 'x' }, { ...begin, to: id(3) }, { ...begin, from: id(1) }, { ...begin, from: id(7) }]) {
    core.step(odd)
    expect(core.role).toEqual({ kind: 'unattached', epoch: 0, leaderId: null })
  }
  core.step(begin)
  expect(core.role).toEqual({ kind: 'follower', epoch: 9, leaderId: 2 })
})

test('a vote waits for the disk, also one asked for twice while the write is under way', () => {
  const core = coreOf(1, [1, 2, 3])
  const request = { ...from(2, 4), kind: 'vote-request', phase: 'vote', lastEpoch: epoch(0), logEndOffset: offset(0) } as const
  core.step(request)
  const ready = core.ready()
  expect(ready.messages).toEqual([])
  expect(ready.write?.hardState).toEqual({ epoch: 4, votedFor: 2, leaderId: null })
  expect(ready.messagesAfterSync).toHaveLength(1)
  core.step(request)
  expect(core.ready()).toMatchObject({ messages: [], write: null })
  core.persisted(ready.write!.id)
  expect(core.ready().messages).toMatchObject([{ kind: 'vote-response', granted: true, to: 2 }])
})

test('one vote an epoch: the second candidate is refused, the first may ask again', () => {
  const core = coreOf(1, [1, 2, 3])
  const request = (node: number) => ({ ...from(node, 4), kind: 'vote-request', phase: 'vote', lastEpoch: epoch(0), logEndOffset: offset(0) }) as const
  core.step(request(2))
  core.step(request(3))
  core.step(request(2))
  expect(sentBy(drain(core)).map((message) => message.kind === 'vote-response' && [message.to, message.granted])).toEqual(
    expect.arrayContaining([[2, true], [3, false], [2, true]]),
  )
})

test.each([
  [3, 2, true], [3, 9, true], [2, 9, false], [3, 1, false], [4, 0, true],
])('a candidate whose log ends with epoch %i at %i is voted for: %s', (lastEpoch, end, granted) => {
  const entries = [2, 3].map((of, i) => ({ offset: offset(i), epoch: epoch(of), kind: 'data', payload: new Uint8Array() }) as const)
  const core = coreOf(1, [1, 2, 3], { ...BLANK_STATE, hardState: { epoch: epoch(3), votedFor: null, leaderId: null }, entries })
  core.step({ ...from(2, 5), kind: 'vote-request', phase: 'vote', lastEpoch: epoch(lastEpoch), logEndOffset: offset(end) })
  expect(sentBy(drain(core))).toMatchObject([{ kind: 'vote-response', granted }])
})

test('a vote survives a restart', () => {
  const hardState = { epoch: epoch(4), votedFor: id(2), leaderId: null }
  const core = coreOf(1, [1, 2, 3], { ...BLANK_STATE, hardState })
  core.step({ ...from(3, 4), kind: 'vote-request', phase: 'vote', lastEpoch: epoch(9), logEndOffset: offset(9) })
  expect(sentBy(drain(core))).toMatchObject([{ kind: 'vote-response', granted: false }])
})

test('proposals are for the leader of the epoch they name', () => {
  const core = leaderOfThree()
  expect(core.propose(epoch(2), [new Uint8Array()])).toEqual({ ok: false, error: 'not-leader' })
  expect(core.propose(epoch(1), [new Uint8Array(), new Uint8Array()])).toEqual({ ok: true, value: 1 })
  expect(core.propose(epoch(1), [])).toEqual({ ok: true, value: 3 })
  core.step(fetchOf(9, 5, 0, 0))
  expect(core.propose(epoch(1), [new Uint8Array()])).toEqual({ ok: false, error: 'not-leader' })
})

test('entries of older epochs are committed only with one of this epoch', () => {
  const entries = [{ offset: offset(0), epoch: epoch(1), kind: 'data', payload: new Uint8Array() }] as const
  const core = coreOf(1, [1, 2, 3], { ...BLANK_STATE, hardState: { epoch: epoch(1), votedFor: null, leaderId: null }, entries })
  core.advanceTo(200)
  drain(core)
  core.step({ ...from(2, 1), kind: 'vote-response', phase: 'pre-vote', granted: true, leaderId: null })
  drain(core)
  core.step({ ...from(2, 2), kind: 'vote-response', phase: 'vote', granted: true, leaderId: null })
  drain(core)
  core.step(fetchOf(2, 2, 1, 1))
  expect([core.logEndOffset, core.highWatermark]).toEqual([2, 0])
  core.step(fetchOf(2, 2, 2, 2, 2))
  expect(core.highWatermark).toBe(2)
})

test('a late copy of an older fetch takes back no acknowledgment', () => {
  const core = leaderOfThree()
  core.step(fetchOf(2, 1, 1, 1, 5))
  expect(core.highWatermark).toBe(1)
  core.step(fetchOf(2, 1, 0, 0, 4))
  expect(core.progress!.voters.find(({ nodeId }) => nodeId === 2)!.endOffset).toBe(1)
})

test('a fetch of a lower epoch is fenced, one at a follower is told who leads', () => {
  const core = leaderOfThree()
  core.step(fetchOf(2, 0, 0, 0))
  expect(sentBy(drain(core))).toMatchObject([{ kind: 'fetch-response', epoch: 1, leaderId: 1, result: { error: 'fenced-leader-epoch' } }])
  core.step({ ...from(3, 2), kind: 'begin-quorum-epoch' })
  drain(core)
  core.step(fetchOf(9, 2, 0, 0))
  expect(sentBy(drain(core))).toMatchObject([{ kind: 'fetch-response', epoch: 2, leaderId: 3, result: { error: 'not-leader' } }])
})

test('a parked fetch is answered when its time is over, when it is replaced, and when leadership ends', () => {
  const core = leaderOfThree()
  const results = (): unknown[] => sentBy(drain(core)).map((message) => message.kind === 'fetch-response' && [message.sequence, message.result.kind])
  core.step(fetchOf(2, 1, 1, 1, 1))
  expect(results()).toEqual([[1, 'entries']])
  const known = { ...fetchOf(2, 1, 1, 1, 2), highWatermark: offset(1) } as RaftMessage
  core.step(known)
  expect(results()).toEqual([])
  core.advanceTo(200 + RAFT_DEFAULTS.fetchWaitMsMax)
  expect(results()).toEqual([[2, 'entries']])
  core.step({ ...known, sequence: 3 } as RaftMessage)
  core.step({ ...known, sequence: 4 } as RaftMessage)
  expect(results()).toEqual([[3, 'entries']])
  core.step({ ...from(3, 2), kind: 'begin-quorum-epoch' })
  expect(results()).toEqual(expect.arrayContaining([[4, 'error']]))
})

test('observers are told apart from voters and never count', () => {
  const core = leaderOfThree()
  core.step(fetchOf(9, 1, 1, 1))
  expect(core.highWatermark).toBe(0)
  expect(core.progress!.observers.map(({ nodeId, endOffset }) => [nodeId, endOffset])).toEqual([[9, 1]])
})

test('state that cannot be is refused at the start', () => {
  const logStart = { offset: offset(5), previousEpoch: epoch(1) }
  expect(() => coreOf(1, [1], { ...BLANK_STATE, logStart })).toThrow('needs a snapshot')
  const snapshot = { offset: offset(4), epoch: epoch(1), bytes: new Uint8Array() }
  expect(() => coreOf(1, [1], { ...BLANK_STATE, logStart, snapshot })).toThrow('gap')
  expect(() => coreOf(1, [1], { ...BLANK_STATE, snapshot })).toThrow('ends inside the snapshot')
  expect(() => coreOf(1, [1, 1])).toThrow('distinct')
  expect(() => coreOf(1, [])).toThrow('needs a voter')
})

test('an idle node sleeps: a leader alone waits for nothing, a follower for its fetch', () => {
  const alone = coreOf(1, [1])
  alone.advanceTo(0)
  drain(alone)
  expect(alone.role.kind).toBe('leader')
  expect(alone.nextDeadlineMs).toBe(Infinity)
  const follower = coreOf(1, [1, 2, 3])
  follower.step({ ...from(2, 1), kind: 'begin-quorum-epoch' })
  drain(follower)
  expect(follower.nextDeadlineMs).toBe(RAFT_DEFAULTS.fetchRetryMs)
})
