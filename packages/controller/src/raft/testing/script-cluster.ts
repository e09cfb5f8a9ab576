/** Interprets the scripts of testdata: a quorum in which nothing moves unless a command says so. */
import { assert } from '@kavka/kernel'
import type { Random } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import type { ScriptCommand } from '@kavka/testkit'
import { describeEntries, describeHardState, describeMessage, describeReady, describeRole } from '../describe.ts'
import type { RaftMessage } from '../messages.ts'
import { RAFT_DEFAULTS } from '../options.ts'
import { RaftCore } from '../raft-core.ts'
import type { Ready } from '../ready.ts'
import { ChainedState } from './chained-state.ts'
import { SimulatedDisk } from './simulated-disk.ts'

interface ScriptNode {
  readonly id: NodeId
  core: RaftCore | null
  disk: SimulatedDisk
  state: ChainedState
  pendingWrite: { readonly id: number; readonly messages: readonly RaftMessage[] } | null
}

/** Each draw gives this: jitter is then the same for all, or whatever the script says. */
class FixedRandom implements Random {
  fraction = 0
  below(bound: number): number {
    return Math.floor(this.fraction * bound)
  }
  unit(): number {
    return this.fraction
  }
  bytes(length: number): Uint8Array {
    return new Uint8Array(length)
  }
}

const STEPS_MAX = 500

export class ScriptCluster {
  readonly #nodes = new Map<NodeId, ScriptNode>()
  readonly #random = new FixedRandom()
  #options: Readonly<Record<keyof typeof RAFT_DEFAULTS, number>> = RAFT_DEFAULTS
  #voterIds: readonly NodeId[] = []
  #inFlight: RaftMessage[] = []
  readonly #cut = new Set<string>()
  #nowMs = 0

  /** Runs one command and tells what came of it, a line an effect. */
  run(command: ScriptCommand): string {
    const lines = this.#dispatch(command)
    return lines.length === 0 ? 'ok' : lines.join('\n')
  }

  #dispatch(command: ScriptCommand): string[] {
    switch (command.name) {
      case 'cluster':
        return this.#create(command)
      case 'start':
        return this.#start(this.#node(command))
      case 'crash':
        return this.#crash(this.#node(command))
      case 'advance':
        return this.#advance(command)
      case 'stabilize':
        return this.#stabilize(command)
      case 'process':
        return this.#process(this.#node(command))
      case 'sync':
        return this.#sync(this.#node(command))
      case 'deliver':
        return this.#deliver(command)
      case 'drop':
        return this.#drop(command)
      case 'cut':
        return this.#cutOff(command)
      case 'heal':
        this.#cut.clear()
        return []
      case 'propose':
        return this.#propose(command)
      case 'snapshot':
        return this.#snapshot(this.#node(command))
      case 'unreachable':
        this.#coreOf(command).peerUnreachable(command.number('peer') as NodeId)
        return []
      case 'reachable':
        this.#coreOf(command).peerReachable(command.number('peer') as NodeId)
        return []
      case 'resign':
        this.#coreOf(command).resign()
        return []
      case 'status':
        return [...this.#nodes.values()].map((node) => this.#status(node))
      case 'log':
        return [this.#log(this.#node(command))]
      default:
        throw new Error(`unknown command ${command.name}`)
    }
  }

  /** `cluster voters=(1,2,3) observers=(4) option=value…`: all started (but `down`), nothing done yet; lower ids wake earlier. */
  #create(command: ScriptCommand): string[] {
    this.#nodes.clear()
    this.#cut.clear()
    this.#inFlight = []
    this.#options = RAFT_DEFAULTS
    this.#voterIds = (command.options.get('voters') ?? []).map((id) => Number(id) as NodeId)
    const observers = (command.options.get('observers') ?? []).map((id) => Number(id) as NodeId)
    for (const key of command.options.keys()) {
      if (key in RAFT_DEFAULTS) this.#options = { ...this.#options, [key]: command.number(key) }
    }
    const down = new Set(command.options.get('down') ?? [])
    for (const id of [...this.#voterIds, ...observers]) {
      const node = { id, core: null, disk: new SimulatedDisk(), state: new ChainedState(), pendingWrite: null }
      this.#nodes.set(id, node)
      this.#random.fraction = (this.#nodes.size - 1) / 10
      if (!down.has(String(id))) this.#start(node)
    }
    this.#random.fraction = 0
    return []
  }

  #start(node: ScriptNode): string[] {
    const persisted = node.disk.load()
    node.state = new ChainedState()
    if (persisted.snapshot !== null) node.state.restore(persisted.snapshot.bytes, persisted.snapshot.offset)
    const options = { ...this.#options, nodeId: node.id, clusterId: 'c', voterIds: this.#voterIds }
    node.core = new RaftCore(options, { random: this.#random }, persisted, this.#nowMs)
    return [`${node.id} ${describeHardState(persisted.hardState)} entries=${describeEntries(persisted.entries)}`]
  }

  #crash(node: ScriptNode): string[] {
    node.core = null
    node.pendingWrite = null
    // The write under way is lost: a draw of 0.5 or more is what the disk takes for that.
    const fraction = this.#random.fraction
    this.#random.fraction = 0.9
    node.disk.crash(this.#random)
    this.#random.fraction = fraction
    return []
  }

  /** `advance ms=100 [node=1] [jitter=0.5]`: time passes for all, timers fire at that node only when one is named. */
  #advance(command: ScriptCommand): string[] {
    this.#nowMs += command.number('ms')
    this.#random.fraction = command.number('jitter', 0)
    const only = command.option('node')
    for (const node of this.#nodes.values()) {
      if (only === null || Number(only) === node.id) node.core?.advanceTo(this.#nowMs)
    }
    return []
  }

  /** Everything that can happen without time passing; `quiet` keeps the details to itself. */
  #stabilize(command: ScriptCommand): string[] {
    const lines: string[] = []
    for (let step = 0; step < STEPS_MAX; step++) {
      const before = lines.length
      for (const node of this.#nodes.values()) lines.push(...this.#process(node), ...this.#sync(node))
      lines.push(...this.#deliverAll(() => true))
      if (lines.length === before) return command.positional.includes('quiet') ? [] : lines
    }
    throw new Error('the cluster does not come to rest')
  }

  #process(node: ScriptNode): string[] {
    const lines: string[] = []
    for (;;) {
      if (node.core === null) return lines
      const ready = node.core.ready()
      const described = describeReady(ready).map((line) => `${node.id} ${line}`)
      if (described.length === 0) return lines
      lines.push(...described)
      this.#perform(node, ready)
    }
  }

  #perform(node: ScriptNode, ready: Ready): void {
    this.#inFlight.push(...ready.messages)
    if (ready.write !== null) {
      node.disk.begin(ready.write)
      node.pendingWrite = { id: ready.write.id, messages: ready.messagesAfterSync }
    }
    const snapshot = ready.snapshotToInstall
    if (snapshot !== null) node.state.restore(snapshot.bytes, snapshot.offset)
    node.state.apply(ready.committed)
  }

  #sync(node: ScriptNode): string[] {
    const write = node.pendingWrite
    if (write === null || node.core === null) return []
    node.disk.complete()
    node.pendingWrite = null
    this.#inFlight.push(...write.messages)
    node.core.persisted(write.id)
    return [`${node.id} synced, sends ${write.messages.length}`]
  }

  #deliver(command: ScriptCommand): string[] {
    return this.#deliverAll(this.#filter(command))
  }

  #deliverAll(matches: (message: RaftMessage) => boolean): string[] {
    const arriving = this.#inFlight.filter(matches)
    this.#inFlight = this.#inFlight.filter((message) => !matches(message))
    const lines: string[] = []
    for (const message of arriving) {
      const target = this.#nodes.get(message.to)?.core ?? null
      const isLost = target === null || this.#cut.has(`${message.from}>${message.to}`)
      lines.push(`${isLost ? 'lost' : 'recv'} ${describeMessage(message)}`)
      if (isLost) continue
      target.advanceTo(this.#nowMs)
      target.step(message)
    }
    return lines
  }

  #drop(command: ScriptCommand): string[] {
    const matches = this.#filter(command)
    const dropped = this.#inFlight.filter(matches)
    this.#inFlight = this.#inFlight.filter((message) => !matches(message))
    return dropped.map((message) => `dropped ${describeMessage(message)}`)
  }

  #filter(command: ScriptCommand): (message: RaftMessage) => boolean {
    const [from, to, kind] = [command.option('from'), command.option('to'), command.option('kind')]
    return (message) =>
      (from === null || Number(from) === message.from) &&
      (to === null || Number(to) === message.to) &&
      (kind === null || kind === message.kind)
  }

  /** `cut node=1`: neither in nor out; `cut from=1 to=2`: that direction. */
  #cutOff(command: ScriptCommand): string[] {
    if (command.option('node') === null) this.#cut.add(`${command.number('from')}>${command.number('to')}`)
    else {
      for (const other of this.#nodes.keys()) {
        this.#cut.add(`${command.number('node')}>${other}`)
        this.#cut.add(`${other}>${command.number('node')}`)
      }
    }
    return []
  }

  #propose(command: ScriptCommand): string[] {
    const core = this.#coreOf(command)
    const texts = command.options.get('text') ?? []
    const payloads = texts.map((text) => Uint8Array.from(text, (character) => character.charCodeAt(0)))
    const result = core.propose(core.role.epoch, payloads)
    return [result.ok ? `appended from ${result.value}` : result.error]
  }

  #snapshot(node: ScriptNode): string[] {
    const core = assertRunning(node)
    core.snapshotTaken(core.appliedOffset, node.state.snapshot(0))
    return [`snapshot at ${core.snapshotOffset}, log from ${core.log.start.offset}`]
  }

  #status(node: ScriptNode): string {
    if (node.core === null) return `${node.id} down ${describeHardState(node.disk.hardState)}`
    const { role, highWatermark, log, appliedOffset, snapshotOffset } = node.core
    const range = `${log.start.offset}..${log.endOffset}`
    return `${node.id} ${describeRole(role)} log=${range} synced=${log.syncedEnd} hw=${highWatermark} applied=${appliedOffset} snapshot=${snapshotOffset}`
  }

  #log(node: ScriptNode): string {
    const { log } = assertRunning(node)
    return `${node.id} ${describeEntries(log.slice(log.start.offset, log.endOffset, Infinity))}`
  }

  #node(command: ScriptCommand): ScriptNode {
    const node = this.#nodes.get(command.number('node') as NodeId)
    assert(node !== undefined, 'no such node', { line: command.line })
    return node
  }

  #coreOf(command: ScriptCommand): RaftCore {
    const core = assertRunning(this.#node(command))
    core.advanceTo(this.#nowMs)
    return core
  }
}

function assertRunning(node: ScriptNode): RaftCore {
  assert(node.core !== null, 'the node is down', { id: node.id })
  return node.core
}
