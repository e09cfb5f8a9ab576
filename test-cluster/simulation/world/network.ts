/**
 * The wires between processes: datagrams that may be lost, doubled and reordered (what the quorum must stand), and connections that
 * keep their order, stall while the link is blocked, and break (what TCP gives the rest).
 */
import type { Random } from '@kavka/kernel'
import type { SimulatedProcess } from './process.ts'
import type { World } from './world.ts'

export interface NetworkOptions {
  readonly delayMsMin: number
  readonly delayMsMax: number
  /** Of raft messages. */
  readonly dropProbability: number
  readonly duplicateProbability: number
  readonly reorderProbability: number
  /** How long both ends of a blocked connection wait before they give it up. */
  readonly keepAliveMs: number
}

const CONNECT_TIMEOUT_MS = 1_000

/** `clogged` holds messages until it is over, however long; `cut` loses datagrams and ends connections after a while; `lossy` loses datagrams alone, `stalled` holds connections alone. */
type BlockKind = 'cut' | 'clogged' | 'lossy' | 'stalled'

/** One direction of a connection. */
interface Lane {
  readonly from: number
  readonly to: number
  lastArrivalMs: number
  readonly stalled: (() => void)[]
}

export class Network {
  readonly #options: NetworkOptions
  readonly #world: World
  readonly #random: Random
  readonly #processes = new Map<number, SimulatedProcess>()
  readonly #machinesDown = new Set<number>()
  readonly #blocked = new Map<string, BlockKind>()
  readonly #connections = new Set<Connection>()
  isFaulty = true

  constructor(options: NetworkOptions, world: World) {
    this.#options = options
    this.#world = world
    this.#random = world.random('network')
  }

  /** The process that has the address now; null when nobody listens. `machine`: off, it does not even refuse. */
  bind(id: number, process: SimulatedProcess): void {
    this.#processes.set(id, process)
    this.#machinesDown.delete(id)
  }

  /** The process is gone: its connections are reset, or, when the machine lost its power, just silent. */
  unbind(id: number, machine: 'up' | 'down'): void {
    this.#processes.delete(id)
    if (machine === 'down') this.#machinesDown.add(id)
    for (const connection of this.#connections) {
      if (!connection.touches(id)) continue
      connection.break(id, machine === 'up' ? this.delayMs() : this.#options.keepAliveMs * (0.5 + this.#random.unit()))
    }
  }

  machineUp(id: number): void {
    this.#machinesDown.delete(id)
  }

  isMachineDown(id: number): boolean {
    return this.#machinesDown.has(id)
  }

  processAt(id: number): SimulatedProcess | null {
    return this.#processes.get(id) ?? null
  }

  isBlocked(from: number, to: number): boolean {
    if (this.#blocked.size === 0) return false
    const kind = this.#blocked.get(linkOf(from, to))
    return kind !== undefined && kind !== 'lossy'
  }

  block(from: number, to: number, kind: BlockKind): void {
    if (from === to) return
    this.#blocked.set(linkOf(from, to), kind)
    if (kind !== 'cut') return
    for (const connection of this.#connections) {
      if (!connection.touches(from) || !connection.touches(to)) continue
      this.#world.scheduler.after(this.#options.keepAliveMs * (0.5 + this.#random.unit()), () => {
        if (this.isBlocked(from, to)) connection.break(null, 0)
      })
    }
  }

  unblock(from: number, to: number): void {
    this.#blocked.delete(linkOf(from, to))
    for (const connection of this.#connections) connection.flush(from, to)
  }

  heal(): void {
    for (const link of [...this.#blocked.keys()]) {
      const [from, to] = link.split('>').map(Number) as [number, number]
      this.unblock(from, to)
    }
  }

  /** Breaks what is open between two processes, as a firewall that lost its table. */
  reset(a: number, b: number): void {
    for (const connection of this.#connections) if (connection.touches(a) && connection.touches(b)) connection.break(null, this.delayMs())
  }

  delayMs(): number {
    const { delayMsMin, delayMsMax } = this.#options
    return delayMsMin + (delayMsMax - delayMsMin) * this.#random.unit()
  }

  /** At most once or twice, in any order, or never. */
  datagram(from: number, to: number, deliver: () => void): void {
    if (this.#losesDatagrams(from, to) || this.#chance(this.#options.dropProbability)) {
      this.#world.probes.hit('raft message dropped')
      return
    }
    const arrive = (): void => {
      if (this.#blocked.size === 0 || this.#blocked.get(linkOf(from, to)) !== 'cut') this.#processes.get(to)?.run(deliver)
    }
    const late = this.#chance(this.#options.reorderProbability) ? this.delayMs() * 10 * this.#random.unit() : 0
    this.#world.scheduler.after(this.delayMs() + late, arrive)
    if (!this.#chance(this.#options.duplicateProbability)) return
    this.#world.probes.hit('raft message duplicated')
    this.#world.scheduler.after(this.delayMs() * (1 + 20 * this.#random.unit()), arrive)
  }

  /**
   * A connection from a process to an address. `accepted` runs at the target; `ended` is called once at each end that did not close
   * it, in that end's process.
   */
  connect(from: number, to: number, events: ConnectionEvents): Connection {
    const connection = new Connection(from, to, events, this)
    this.#connections.add(connection)
    const refuse = (): void => connection.break(to, 0)
    if (this.isBlocked(from, to) || this.isBlocked(to, from) || this.isMachineDown(to)) {
      this.#world.scheduler.after(CONNECT_TIMEOUT_MS, refuse)
      return connection
    }
    this.#world.scheduler.after(this.delayMs() * 2, () => {
      const target = this.#processes.get(to)
      if (target === undefined || this.isBlocked(from, to)) return refuse()
      target.run(() => connection.accept())
    })
    return connection
  }

  /** Request and answer; null when it cannot be known whether the target got it, or the time is over. */
  call<T>(from: number, to: number, timeoutMs: number, serve: () => Promise<T>): Promise<T | null> {
    return new Promise((resolve) => {
      const caller = this.#processes.get(from)
      let isSettled = false
      const settle = (answer: T | null): void => {
        if (isSettled) return
        isSettled = true
        timeout.cancel()
        caller?.run(() => resolve(answer))
      }
      const timeout = this.#world.scheduler.after(timeoutMs, () => settle(null))
      const connection = this.connect(from, to, {
        accepted: () => {
          void serve().then((answer) => connection.toOpener(() => {
            connection.close(from)
            settle(answer)
          }))
        },
        endedAtOpener: () => settle(null),
        endedAtTarget: null,
      })
    })
  }

  /** For connections. */
  send(lane: Lane, deliver: () => void): void {
    const now = this.#world.nowMs
    lane.lastArrivalMs = Math.max(lane.lastArrivalMs, now + this.delayMs())
    this.#world.scheduler.after(lane.lastArrivalMs - now, () => {
      if (lane.stalled.length > 0 || this.isBlocked(lane.from, lane.to)) lane.stalled.push(deliver)
      else deliver()
    })
  }

  later(delayMs: number, callback: () => void): void {
    this.#world.scheduler.after(delayMs, callback)
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection)
  }

  #losesDatagrams(from: number, to: number): boolean {
    if (this.#blocked.size === 0) return false
    const kind = this.#blocked.get(linkOf(from, to))
    return kind !== undefined && kind !== 'stalled'
  }

  #chance(probability: number): boolean {
    return this.isFaulty && probability > 0 && this.#random.unit() < probability
  }
}

export interface ConnectionEvents {
  accepted(): void
  endedAtOpener(): void
  /** Null when the target does not care. */
  readonly endedAtTarget: (() => void) | null
}

export class Connection {
  readonly #opener: number
  readonly #target: number
  readonly #events: ConnectionEvents
  readonly #network: Network
  readonly #openerProcess: SimulatedProcess | null
  #targetProcess: SimulatedProcess | null = null
  readonly #toTarget: Lane
  readonly #toOpener: Lane
  #early: (() => void)[] = []
  #isOpen = true
  #openerDone = false
  #targetDone = false

  constructor(opener: number, target: number, events: ConnectionEvents, network: Network) {
    this.#opener = opener
    this.#target = target
    this.#events = events
    this.#network = network
    this.#openerProcess = network.processAt(opener)
    this.#toTarget = { from: opener, to: target, lastArrivalMs: 0, stalled: [] }
    this.#toOpener = { from: target, to: opener, lastArrivalMs: 0, stalled: [] }
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  touches(id: number): boolean {
    return id === this.#opener || id === this.#target
  }

  accept(): void {
    if (!this.#isOpen) return
    this.#targetProcess = this.#network.processAt(this.#target)
    this.#events.accepted()
    for (const send of this.#early) send()
    this.#early = []
  }

  toTarget(deliver: () => void): void {
    if (!this.#isOpen || this.#openerProcess?.isAlive !== true) return
    if (this.#targetProcess === null) this.#early.push(() => this.toTarget(deliver))
    else this.#network.send(this.#toTarget, () => this.#isOpen && this.#targetProcess?.run(() => this.#isOpen && deliver()))
  }

  toOpener(deliver: () => void): void {
    if (!this.#isOpen || this.#targetProcess?.isAlive !== true) return
    this.#network.send(this.#toOpener, () => this.#isOpen && this.#openerProcess?.run(() => this.#isOpen && deliver()))
  }

  /** The owner of that end lets go; only the other end is told. */
  close(by: number): void {
    if (by === this.#opener) this.#openerDone = true
    else this.#targetDone = true
    this.#end(this.#network.delayMs())
  }

  /** Both ends notice, each when it does; `gone` never. */
  break(gone: number | null, noticeMs: number): void {
    if (gone === this.#opener) this.#openerDone = true
    if (gone === this.#target && this.#targetProcess !== null) this.#targetDone = true
    this.#end(noticeMs)
  }

  flush(from: number, to: number): void {
    for (const lane of [this.#toTarget, this.#toOpener]) {
      if (lane.from !== from || lane.to !== to) continue
      for (const deliver of lane.stalled.splice(0)) this.#network.send(lane, deliver)
    }
  }

  #end(noticeMs: number): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#network.forget(this)
    if (!this.#openerDone) this.#network.later(noticeMs, () => this.#openerProcess?.run(() => this.#events.endedAtOpener()))
    const { endedAtTarget } = this.#events
    if (!this.#targetDone && this.#targetProcess !== null && endedAtTarget !== null) {
      this.#network.later(noticeMs, () => this.#targetProcess?.run(endedAtTarget))
    }
  }
}

function linkOf(from: number, to: number): string {
  return `${from}>${to}`
}
