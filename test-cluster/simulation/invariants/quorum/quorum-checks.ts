/** The promises of the metadata quorum, §2.1 (R): on what nodes send, store, apply and believe to be. */
import { crc32 } from 'node:zlib'
import type { Entry, QuorumState, RaftMessage, RoleState } from '@kavka/controller'
import type { NodeId } from '@kavka/protocol'
import type { MemoryKeyValueStore } from '@kavka/testkit'
import type { SimulatedNode } from '../../node/simulated-node.ts'
import type { World } from '../../world/world.ts'
import type { QuorumLogChecks } from './quorum-log-checks.ts'

interface CommittedEntry {
  readonly epoch: number
  readonly checksum: number
}

/** How the quorum keeps its state; a copy of the format on purpose, so that a change of it is noticed. */
const CHECKSUM_BYTES = 4
const COMPLETENESS_DEPTH = 40

export interface QuorumChecksDependencies {
  readonly world: World
  readonly logs: QuorumLogChecks
  readonly storeOf: (id: NodeId) => MemoryKeyValueStore
  /** Each entry once, in order, when the first node applies it. */
  readonly onNewlyCommitted: (entry: Entry) => void
}

export class QuorumChecks {
  readonly #world: World
  readonly #logs: QuorumLogChecks
  readonly #voterIds: readonly NodeId[]
  readonly #storeOf: (id: NodeId) => MemoryKeyValueStore
  readonly #leaders = new Map<number, NodeId>()
  readonly #votes = new Map<string, NodeId>()
  readonly #committed: (CommittedEntry | undefined)[] = []
  readonly #applied = new WeakMap<SimulatedNode, number>()
  readonly #leading = new WeakSet<SimulatedNode>()
  readonly #highWatermarkWhenElected = new WeakMap<SimulatedNode, number>()
  readonly #durableEpochs = new Map<NodeId, number>()
  readonly #onNewlyCommitted: (entry: Entry) => void
  #highestLeaderEpoch = 0

  constructor(options: { readonly voterIds: readonly NodeId[] }, dependencies: QuorumChecksDependencies) {
    this.#voterIds = options.voterIds
    this.#world = dependencies.world
    this.#logs = dependencies.logs
    this.#storeOf = dependencies.storeOf
    this.#onNewlyCommitted = dependencies.onNewlyCommitted
  }

  get committedEnd(): number {
    return this.#committed.length
  }

  /** Of all epochs that had a leader. */
  get newestLeaderEpoch(): number {
    return this.#highestLeaderEpoch
  }

  /** R3: one vote an epoch, and never sent before it is on the disk. */
  sending(node: SimulatedNode, message: RaftMessage): void {
    if (message.kind !== 'vote-response' || message.phase !== 'vote' || !message.granted) return
    const key = `${node.id}/${message.epoch}`
    const before = this.#votes.get(key)
    this.#world.judge('R3 VoteOnce', before === undefined || before === message.to, { node: node.id, epoch: message.epoch, to: message.to, before: before ?? null })
    this.#votes.set(key, message.to)
    const stored = hardStateOf(this.#storeOf(node.id))
    const isDurable = stored !== null && (stored.epoch > message.epoch || (stored.epoch === message.epoch && stored.votedFor === message.to))
    this.#world.judge('R3 VoteOnce', isDurable, { node: node.id, epoch: message.epoch, to: message.to, stored })
  }

  /** R1 and R6. */
  role(node: SimulatedNode, role: RoleState): void {
    if (role.kind !== 'leader') {
      if (this.#leading.delete(node)) this.#world.probes.hit('raft leader deposed')
      return
    }
    this.#leading.add(node)
    this.#highWatermarkWhenElected.set(node, node.driver.state.highWatermark)
    const before = this.#leaders.get(role.epoch)
    this.#world.judge('R1 ElectionSafety', before === undefined || before === node.id, { epoch: role.epoch, node: node.id, before: before ?? null })
    this.#leaders.set(role.epoch, node.id)
    this.#world.probes.hit('raft election')
    if (role.epoch > this.#highestLeaderEpoch && this.#highestLeaderEpoch > 0) this.#world.probes.hit('controller failed over')
    this.#highestLeaderEpoch = Math.max(this.#highestLeaderEpoch, role.epoch)
    this.#leaderCompleteness(node)
  }

  /** R5, R7, R15, R16. */
  committed(node: SimulatedNode, entries: readonly Entry[]): void {
    const state = node.driver.state
    this.#noCommitByCounting(node, state, entries.at(-1)!)
    const position = { nodeId: node.id, epoch: state.epoch, highWatermark: state.highWatermark, logEndOffset: state.logEndOffset }
    if (state.kind === 'leader' && this.#hasAdvanced(node, state.highWatermark)) this.#logs.leaderCommitted(position)
    else this.#logs.followerCommitted(position)
    for (const entry of entries) {
      const expected = this.#applied.get(node) ?? 0
      this.#world.judge('R16 AppliedOnce', entry.offset === expected, { node: node.id, offset: entry.offset, expected })
      this.#applied.set(node, entry.offset + 1)
      const seen = { epoch: entry.epoch, checksum: crc32(entry.payload) }
      const known = this.#committed[entry.offset]
      if (known === undefined) {
        this.#committed[entry.offset] = seen
        this.#committedIsDurable(entry)
        this.#logs.committed(entry.offset, entry.epoch)
        this.#onNewlyCommitted(entry)
      } else {
        const isSame = known.epoch === seen.epoch && known.checksum === seen.checksum
        this.#world.judge('R5 CommittedPrefix', isSame, { node: node.id, offset: entry.offset, epoch: entry.epoch, known: known.epoch })
      }
    }
  }

  /** R11: a leader commits by counting only what is of its own epoch, and all before along with it. */
  #noCommitByCounting(node: SimulatedNode, { kind, epoch, highWatermark }: QuorumState, last: Entry): void {
    if (kind !== 'leader' || last.offset !== highWatermark - 1 || !this.#hasAdvanced(node, highWatermark)) return
    this.#world.judge('R11 NoCommitByCounting', last.epoch === epoch, { node: node.id, offset: last.offset, entryEpoch: last.epoch, epoch })
  }

  /** Since it was elected; what it had known as a follower says nothing of it as a leader. */
  #hasAdvanced(node: SimulatedNode, highWatermark: number): boolean {
    return highWatermark > (this.#highWatermarkWhenElected.get(node) ?? Infinity)
  }

  snapshotLoaded(node: SimulatedNode, offset: number, epoch: number): void {
    this.#world.judge('R12 Snapshot', offset <= this.#committed.length, { node: node.id, offset, committedEnd: this.#committed.length })
    const last = this.#committed[offset - 1]
    this.#world.judge('R12 Snapshot', last === undefined || last.epoch === epoch, { node: node.id, offset, epoch, known: last?.epoch ?? null })
    this.#applied.set(node, offset)
    if (node.isListening) this.#world.probes.hit('raft snapshot loaded')
  }

  /** R2, whenever a store changes hands. */
  epochNeverDecreases(id: NodeId): void {
    const epoch = hardStateOf(this.#storeOf(id))?.epoch ?? 0
    const before = this.#durableEpochs.get(id) ?? 0
    this.#world.judge('R2 MonotonicEpoch', epoch >= before, { node: id, epoch, before })
    this.#durableEpochs.set(id, epoch)
  }

  #committedIsDurable(entry: Entry): void {
    const holders = this.#voterIds.filter((id) => {
      const store = this.#storeOf(id)
      return storedEpoch(store, entry.offset) === entry.epoch || isBelowLogStart(store, entry.offset)
    })
    const majority = Math.floor(this.#voterIds.length / 2) + 1
    this.#world.judge('R7 CommittedIsDurable', holders.length >= majority, { offset: entry.offset, epoch: entry.epoch, holders: holders.join() })
  }

  #leaderCompleteness(node: SimulatedNode): void {
    const store = this.#storeOf(node.id)
    for (let offset = Math.max(0, this.#committed.length - COMPLETENESS_DEPTH); offset < this.#committed.length; offset++) {
      const known = this.#committed[offset]
      if (known === undefined || isBelowLogStart(store, offset)) continue
      const stored = storedEpoch(store, offset)
      this.#world.judge('R6 LeaderCompleteness', stored === known.epoch, { node: node.id, offset, epoch: known.epoch, stored })
    }
  }
}

function storedEpoch(store: MemoryKeyValueStore, offset: number): number | null {
  const value = store.content.get(`raft/log/${String(offset).padStart(16, '0')}`)
  return value === undefined ? null : Buffer.from(value.buffer, value.byteOffset, value.length).readUInt32BE(CHECKSUM_BYTES + 1)
}

function isBelowLogStart(store: MemoryKeyValueStore, offset: number): boolean {
  const start = objectAt(store, 'raft/log-start') as { offset: number } | null
  const snapshot = objectAt(store, 'raft/snapshot') as { offset: number } | null
  return offset < Math.max(start?.offset ?? 0, snapshot?.offset ?? 0)
}

function hardStateOf(store: MemoryKeyValueStore): { epoch: number; votedFor: number | null } | null {
  return objectAt(store, 'raft/hard-state') as { epoch: number; votedFor: number | null } | null
}

function objectAt(store: MemoryKeyValueStore, key: string): unknown {
  const value = store.content.get(key)
  return value === undefined ? null : JSON.parse(Buffer.from(value).subarray(CHECKSUM_BYTES).toString())
}
