/** A whole quorum under one seed: a storm of faults with all invariants checked after each event, then calm and progress. */
import { assert, seededRandom } from '@kavka/kernel'
import type { Random } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { PERFECT_NETWORK, SimulatedNetwork, VirtualScheduler } from '@kavka/testkit'
import { describeMessage } from '../describe.ts'
import type { RaftMessage } from '../messages.ts'
import { RAFT_DEFAULTS } from '../options.ts'
import { Oracle } from './invariants.ts'
import { SimulatedNode } from './simulated-node.ts'
import { drawSwarmOptions } from './swarm.ts'
import type { SwarmOptions } from './swarm.ts'

export interface SimulationResult {
  readonly events: number
  readonly virtualMs: number
  readonly committed: number
  readonly leaders: number
  readonly messages: number
}

/** Ten election timeouts (with their jitter), and time for loads that were cut off to move. */
const CALM_MS = 30_000

export class Simulation {
  readonly options: SwarmOptions
  readonly scheduler = new VirtualScheduler()
  readonly #random: Random
  readonly #network: SimulatedNetwork<RaftMessage>
  readonly #nodes = new Map<NodeId, SimulatedNode>()
  readonly #voterIds: readonly NodeId[]
  readonly #oracle: Oracle
  readonly #trace: ((line: string) => void) | null
  #storming = true
  #proposals = 0
  #events = 0

  constructor(seed: number, trace: ((line: string) => void) | null = null) {
    this.#random = seededRandom(seed)
    this.#trace = trace
    const options = drawSwarmOptions(this.#random)
    this.options = options
    this.#voterIds = Array.from({ length: options.voterCount }, (_, i) => (i + 1) as NodeId)
    this.#network = new SimulatedNetwork(options.network, {
      scheduler: this.scheduler,
      random: this.#random,
      deliver: (to, _from, message) => this.#deliver(to as NodeId, message),
    })
    for (let id = 1; id <= options.voterCount + options.observerCount; id++) this.#addNode(id as NodeId)
    this.#oracle = new Oracle(this.#nodes, this.#voterIds)
  }

  run(): SimulationResult {
    const { options } = this
    for (const node of this.#nodes.values()) this.#after(this.#random.unit() * 200, () => node.start())
    this.#scheduleStorm()
    this.#keepClockGoing()
    while (this.scheduler.monotonicMs() < options.stormMs) this.#runOne()
    this.#checkProgress(this.#heal())
    return {
      events: this.#events,
      virtualMs: this.scheduler.monotonicMs(),
      committed: this.#oracle.committedCount,
      leaders: this.#oracle.leaderCount,
      messages: this.#network.counts.sent,
    }
  }

  #runOne(): void {
    const ran = this.scheduler.runNextSync()
    assert(ran, 'the clock of the simulation stopped')
    this.#events++
  }

  /** A quorum of one has nothing to wait for; the clock moves all the same. */
  #keepClockGoing(): void {
    this.#after(100, () => this.#keepClockGoing())
  }

  #addNode(id: NodeId): void {
    const { options } = this
    const raft = {
      ...RAFT_DEFAULTS,
      nodeId: id,
      clusterId: 'simulated',
      voterIds: this.#voterIds,
      fetchBytesMax: options.fetchBytesMax,
      snapshotPieceBytesMax: options.snapshotPieceBytesMax,
      logRetainedBytes: options.logRetainedBytes,
    }
    const { snapshotEveryEntries, snapshotPaddingBytes, writeMsMax } = options
    this.#nodes.set(
      id,
      new SimulatedNode(
        { raft, writeMsMin: writeMsMax / 10, writeMsMax, snapshotEveryEntries, snapshotPaddingBytes },
        {
          scheduler: this.scheduler,
          random: this.#random,
          send: (message) => this.#send(message),
          observe: (node) => this.#oracle.check(node),
        },
      ),
    )
  }

  #send(message: RaftMessage): void {
    this.#oracle.checkSent(message)
    this.#note(() => `send ${describeMessage(message)}`)
    this.#network.send(message.from, message.to, message)
  }

  #deliver(to: NodeId, message: RaftMessage): void {
    this.#note(() => `recv ${describeMessage(message)}`)
    this.#nodes.get(to)!.receive(message)
  }

  #scheduleStorm(): void {
    const { options } = this
    this.#repeat(options.proposalEveryMs, () => this.#proposeSomewhere())
    this.#repeat(options.crashEveryMs, () => this.#crashSomebody())
    this.#repeat(options.partitionEveryMs, () => this.#repartition())
    this.#repeat(options.pauseEveryMs, () => this.#pauseSomebody())
    this.#repeat(options.resignEveryMs, () => this.#anybody().resign())
    this.#repeat(options.falseReportEveryMs, () => this.#anybody().peerUnreachable(this.#anybody().id))
  }

  /** At random intervals with that mean, while the storm lasts. */
  #repeat(meanMs: number, action: () => void): void {
    if (meanMs === Infinity) return
    this.#after(-Math.log(1 - this.#random.unit()) * meanMs, () => {
      if (!this.#storming) return
      action()
      this.#repeat(meanMs, action)
    })
  }

  #proposeSomewhere(): void {
    const text = `p${this.#proposals++}`
    for (const node of this.#nodes.values()) node.propose(Uint8Array.from(text, (character) => character.charCodeAt(0)))
  }

  #crashSomebody(): void {
    const node = this.#anybody()
    if (node.core === null) return
    this.#note(() => `crash ${node.id}`)
    node.crash()
    const downMs = this.#random.unit() * this.options.downMsMax
    this.#after(downMs, () => this.#restart(node))
    if (!this.options.reportsCrashes) return
    for (const other of this.#nodes.values()) {
      if (other === node) continue
      this.#after(this.#random.unit() * 5, () => {
        if (node.core === null) other.peerUnreachable(node.id)
      })
    }
  }

  #restart(node: SimulatedNode): void {
    if (node.core !== null) return
    this.#note(() => `start ${node.id}`)
    node.start()
    for (const other of this.#nodes.values()) {
      if (other !== node) this.#after(this.#random.unit() * 5, () => other.peerReachable(node.id))
    }
  }

  #pauseSomebody(): void {
    const node = this.#anybody()
    this.#note(() => `pause ${node.id}`)
    node.pause()
    this.#after(this.#random.unit() * 5000, () => node.resume())
  }

  #repartition(): void {
    const ids = [...this.#nodes.keys()]
    const kind = this.#random.below(4)
    this.#note(() => `partition kind ${kind}`)
    if (kind === 0) this.#network.heal()
    else if (kind === 1) this.#network.partition(ids, this.#randomGroups(ids))
    else if (kind === 2) {
      const alone = this.#anybody().id
      this.#network.partition(ids, [ids.filter((id) => id !== alone)])
    } else this.#network.block(this.#anybody().id, this.#anybody().id)
  }

  #randomGroups(ids: readonly NodeId[]): NodeId[][] {
    const groups: NodeId[][] = [[], []]
    for (const id of ids) groups[this.#random.below(2)]!.push(id)
    return groups
  }

  /** Ends the faults for all, or for a majority only while the others stay broken; returns those that must make progress. */
  #heal(): readonly SimulatedNode[] {
    this.#storming = false
    this.#network.setFaults(PERFECT_NETWORK)
    const majority = Math.floor(this.#voterIds.length / 2) + 1
    const offset = this.#random.below(this.#voterIds.length)
    const ids = [...this.#nodes.keys()]
    const core = this.options.healsAll
      ? ids
      : Array.from({ length: majority }, (_, i) => this.#voterIds[(offset + i) % this.#voterIds.length]!)
    this.#note(() => `heal ${core.join(' ')}`)
    this.#network.partition(ids, [core])
    for (const id of core) this.#nodes.get(id)!.healDisk()
    for (const id of core) this.#nodes.get(id)!.resume()
    for (const id of core) this.#restart(this.#nodes.get(id)!)
    return core.map((id) => this.#nodes.get(id)!)
  }

  /** L1, L4: a majority that can talk elects a leader all of it knows, commits, and all apply the same. */
  #checkProgress(core: readonly SimulatedNode[]): void {
    const endMs = this.scheduler.monotonicMs() + CALM_MS
    const last = `last${this.#proposals}`
    let proposedMs = 0
    const done = (): boolean => this.#oracle.isCommitted(`data:${last}`) && this.#agree(core)
    for (;;) {
      const nowMs = this.scheduler.monotonicMs()
      // A proposal may be lost with a leader that steps down: asked for again until it is there.
      if (nowMs - proposedMs > 500) {
        proposedMs = nowMs
        if (!this.#oracle.isCommitted(`data:${last}`)) {
          for (const node of core) node.propose(Uint8Array.from(last, (character) => character.charCodeAt(0)))
        }
        if (done()) return
      }
      assert(nowMs < endMs, 'L1 no progress in a connected majority', {
        roles: core.map((node) => `${node.id}:${JSON.stringify(node.core?.role)}@${node.state.applied}`).join(' '),
      })
      this.#runOne()
    }
  }

  #agree(core: readonly SimulatedNode[]): boolean {
    const leaders = new Set(core.map((node) => node.core?.role.leaderId))
    const applied = new Set(core.map((node) => node.state.applied))
    return leaders.size === 1 && !leaders.has(null) && applied.size === 1 && applied.has(this.#oracle.committedCount as never)
  }

  #anybody(): SimulatedNode {
    return this.#nodes.get((1 + this.#random.below(this.#nodes.size)) as NodeId)!
  }

  #after(delayMs: number, action: () => void): void {
    this.scheduler.after(delayMs, action)
  }

  #note(line: () => string): void {
    if (this.#trace !== null) this.#trace(`${this.scheduler.monotonicMs().toFixed(2).padStart(10)} ${line()}`)
  }
}
