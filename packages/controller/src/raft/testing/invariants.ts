/**
 * What must hold after every event, as named predicates over the whole simulated quorum. The oracle remembers what no node
 * may know: who ever led, what was ever committed, what each disk ever promised.
 */
import { assert } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import { describeMessage } from '../describe.ts'
import type { Entry, RaftMessage } from '../messages.ts'
import { VoterSet } from '../quorum.ts'
import { offsetAfter } from '../raft-log.ts'
import type { HardState } from '../ready.ts'
import type { SimulatedNode } from './simulated-node.ts'

/** What an entry is, once and for all: two logs with the same (offset, epoch) have the same entry and the same one before it. */
interface KnownEntry {
  readonly payload: string
  readonly previousEpoch: number
}

interface NodeMemory {
  run: number
  highWatermark: number
  logMark: string
  wasLeaderInEpoch: number
  hardState: HardState
}

export class Oracle {
  readonly #nodes: ReadonlyMap<NodeId, SimulatedNode>
  readonly #voters: VoterSet
  readonly #leaderOfEpoch = new Map<LeaderEpoch, NodeId>()
  readonly #known = new Map<string, KnownEntry>()
  /** Committed entries by offset, and the epoch of the leader that committed each. */
  readonly #committed: Entry[] = []
  readonly #committedIn: LeaderEpoch[] = []
  readonly #digestAt = new Map<number, number>()
  readonly #memory = new Map<NodeId, NodeMemory>()

  constructor(nodes: ReadonlyMap<NodeId, SimulatedNode>, voterIds: readonly NodeId[]) {
    this.#nodes = nodes
    this.#voters = new VoterSet(voterIds)
  }

  /** How many entries were ever committed. */
  get committedCount(): number {
    return this.#committed.length
  }

  get leaderCount(): number {
    return this.#leaderOfEpoch.size
  }

  isCommitted(payload: string): boolean {
    return this.#committed.some((entry) => textOf(entry) === payload)
  }

  /** All invariants that `node` can have broken with its last event. */
  check(node: SimulatedNode): void {
    const memory = this.#memoryOf(node)
    this.#checkDisk(node, memory)
    this.#checkCommittedOnQuorum()
    if (node.core === null) return
    if (memory.run !== node.runs) Object.assign(memory, { run: node.runs, highWatermark: -1, logMark: '', wasLeaderInEpoch: -1 })
    this.#checkElectionSafety(node)
    this.#checkLogMatching(node, memory)
    this.#checkHighWatermark(node, memory)
    this.#checkLeaderCompleteness(node, memory)
    this.#checkSnapshot(node)
    this.#checkStateMachine(node)
  }

  /** R3, and its like for fetches: what a message promises is on the sender's disk when it leaves. */
  checkSent(message: RaftMessage): void {
    const disk = this.#nodes.get(message.from)!.disk
    const { hardState } = disk
    const about = { message: describeMessage(message), disk: JSON.stringify(hardState) }
    assert(hardState.epoch >= message.epoch, 'R2 an epoch is durable before it is spoken of', about)
    if (hardState.epoch > message.epoch) return
    if (message.kind === 'vote-response' && message.phase === 'vote' && message.granted) {
      assert(hardState.votedFor === message.to, 'R3 a vote is durable before it is sent', about)
    }
    if (message.kind === 'vote-request' && message.phase === 'vote') {
      assert(hardState.votedFor === message.from, 'R3 a candidate votes for itself durably', about)
    }
    if (message.kind === 'fetch-request') {
      const held = disk.endOffset >= message.fetchOffset
      assert(held, 'R7 a fetch acknowledges only what is synced', { ...about, end: disk.endOffset })
    }
  }

  #checkElectionSafety(node: SimulatedNode): void {
    const { kind, epoch } = node.core!.role
    if (kind !== 'leader') return
    const known = this.#leaderOfEpoch.get(epoch)
    assert(known === undefined || known === node.id, 'R1 one leader an epoch', { epoch, known, id: node.id })
    this.#leaderOfEpoch.set(epoch, node.id)
  }

  #checkDisk(node: SimulatedNode, memory: NodeMemory): void {
    const { hardState } = node.disk
    const before = memory.hardState
    assert(hardState.epoch >= before.epoch, 'R2 the durable epoch never falls', { id: node.id })
    if (hardState.epoch === before.epoch && before.votedFor !== null) {
      assert(hardState.votedFor === before.votedFor, 'R3 one vote an epoch', { id: node.id, epoch: hardState.epoch })
    }
    memory.hardState = hardState
    const epoch = node.core?.role.epoch
    assert(epoch === undefined || epoch >= hardState.epoch, 'R2 memory is never behind the disk', { id: node.id })
    if (epoch !== undefined && !node.disk.isWriting) {
      assert(epoch === hardState.epoch, 'R2 memory and disk agree when all is written', { id: node.id, epoch })
    }
  }

  #checkLogMatching(node: SimulatedNode, memory: NodeMemory): void {
    const { log } = node.core!
    const mark = `${log.start.offset} ${log.endOffset} ${log.lastEpoch}`
    if (mark === memory.logMark) return
    memory.logMark = mark
    let previousEpoch: number = log.start.previousEpoch
    for (const entry of log.slice(log.start.offset, log.endOffset, Infinity)) {
      const key = `${entry.offset}@${entry.epoch}`
      const payload = textOf(entry)
      const known = this.#known.get(key)
      if (known === undefined) this.#known.set(key, { payload, previousEpoch })
      else {
        assert(known.payload === payload, 'R4 log matching: same entry', { key, id: node.id })
        assert(known.previousEpoch === previousEpoch, 'R4 log matching: same predecessor', { key, id: node.id })
      }
      previousEpoch = entry.epoch
    }
  }

  #checkHighWatermark(node: SimulatedNode, memory: NodeMemory): void {
    const core = node.core!
    const { highWatermark, log, role } = core
    assert(highWatermark >= memory.highWatermark, 'R10 the high watermark never falls', { id: node.id })
    assert(highWatermark <= log.endOffset, 'R10 the high watermark is within the log', { id: node.id })
    const advanced = highWatermark > memory.highWatermark && memory.highWatermark >= 0
    if (advanced && role.kind === 'leader') {
      const epoch = log.epochAt(offsetAfter(highWatermark, -1))
      assert(epoch === role.epoch, 'R11 a leader commits by an entry of its own epoch', { id: node.id, epoch })
    }
    memory.highWatermark = highWatermark
    this.#checkCommittedPrefix(node, log.start.offset, highWatermark)
  }

  #checkCommittedPrefix(node: SimulatedNode, start: Offset, highWatermark: Offset): void {
    const { log, role } = node.core!
    const last = offsetAfter(highWatermark, -1)
    // Log matching makes the last one stand for all before it; only what is new is recorded.
    if (highWatermark <= this.#committed.length) {
      if (last >= start) assert(log.epochAt(last) === this.#committed[last]!.epoch, 'R5 one committed history', { last, id: node.id })
      return
    }
    for (const entry of log.slice(offsetAfter(0 as Offset, this.#committed.length), highWatermark, Infinity)) {
      assert(role.kind === 'leader', 'only a leader is the first to know a commit', { id: node.id })
      this.#committed.push(entry)
      this.#committedIn.push(role.epoch)
      assert(this.#holders(entry) >= this.#voters.majority, 'R7 committed is durable on a majority', { ...entry })
      for (const other of this.#nodes.values()) this.#checkHolds(other)
    }
  }

  #checkLeaderCompleteness(node: SimulatedNode, memory: NodeMemory): void {
    const { kind, epoch } = node.core!.role
    if (kind !== 'leader' || memory.wasLeaderInEpoch === epoch) return
    memory.wasLeaderInEpoch = epoch
    this.#checkHolds(node)
  }

  /** R6: a leader has what was committed in epochs before its own; the last such entry stands, by log matching, for all. */
  #checkHolds({ id, core }: SimulatedNode): void {
    if (core === null || core.role.kind !== 'leader') return
    const { log, role } = core
    const last = this.#committed[this.#committedIn.findLastIndex((epoch) => epoch < role.epoch)]
    if (last === undefined || last.offset < log.start.offset - 1) return
    assert(log.epochAt(last.offset) === last.epoch, 'R6 leader completeness', { id, leads: role.epoch, ...last })
  }

  /** R8, R9: whatever majority comes together, somebody in it has every committed entry on its disk. */
  #checkCommittedOnQuorum(): void {
    const last = this.#committed.at(-1)
    if (last === undefined) return
    assert(this.#holders(last) >= this.#voters.majority, 'R9 a committed entry stays on a majority', { ...last })
  }

  #holders(entry: Entry): number {
    let count = 0
    for (const id of this.#voters.ids) {
      const { disk } = this.#nodes.get(id)!
      if (disk.logStart.offset > entry.offset || disk.entryAt(entry.offset)?.epoch === entry.epoch) count++
    }
    return count
  }

  #checkSnapshot(node: SimulatedNode): void {
    const { log, snapshotOffset, highWatermark } = node.core!
    assert(log.start.offset <= snapshotOffset, 'R12 no gap between snapshot and log', { id: node.id })
    assert(snapshotOffset <= highWatermark, 'R12 a snapshot is of what is committed', { id: node.id })
    const onDisk = node.disk.snapshot?.offset ?? 0
    assert(node.disk.logStart.offset <= onDisk, 'R12 no gap on the disk', { id: node.id })
  }

  #checkStateMachine(node: SimulatedNode): void {
    const { applied, digest } = node.state
    const known = this.#digestAt.get(applied)
    assert(known === undefined || known === digest, 'R15 equal states at equal offsets', { id: node.id, applied })
    this.#digestAt.set(applied, digest)
  }

  #memoryOf(node: SimulatedNode): NodeMemory {
    let memory = this.#memory.get(node.id)
    if (memory === undefined) {
      memory = { run: -1, highWatermark: -1, logMark: '', wasLeaderInEpoch: -1, hardState: node.disk.hardState }
      this.#memory.set(node.id, memory)
    }
    return memory
  }
}

function textOf(entry: Entry): string {
  return `${entry.kind}:${String.fromCharCode(...entry.payload)}`
}
