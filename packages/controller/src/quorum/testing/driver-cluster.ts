/** Drivers in one process on virtual time, with memory stores and a simulated network between them. */
import { assert, seededRandom, silentLogger } from '@kavka/kernel'
import type { NodeId, Offset } from '@kavka/protocol'
import { MemoryKeyValueStore, PERFECT_NETWORK, SimulatedNetwork, VirtualScheduler } from '@kavka/testkit'
import type { Entry, RaftMessage } from '../../raft/messages.ts'
import type { RoleState } from '../../raft/ready.ts'
import type { QuorumStateMachine } from '../driver-contract.ts'
import { QuorumDriver } from '../quorum-driver.ts'
import type { QuorumDriverOptions } from '../quorum-driver.ts'

const WRITE_MS = 2

/** Remembers the texts it was given; its snapshot is their list. */
export class RememberingState implements QuorumStateMachine {
  texts: string[] = []
  applied = 0
  readonly roles: RoleState[] = []
  snapshotsLoaded = 0

  onCommitted(entries: readonly Entry[]): void {
    for (const { offset, kind, payload } of entries) {
      assert(offset === this.applied, 'applied once, in order', { offset, applied: this.applied })
      this.applied++
      if (kind === 'data') this.texts.push(Buffer.from(payload).toString())
    }
  }

  onSnapshot(bytes: Uint8Array, offset: Offset): void {
    this.texts = JSON.parse(Buffer.from(bytes).toString()) as string[]
    this.applied = offset
    this.snapshotsLoaded++
  }

  snapshotState(): Uint8Array {
    return Buffer.from(JSON.stringify(this.texts))
  }

  onRoleChange(role: RoleState): void {
    this.roles.push(role)
  }
}

export interface DriverNode {
  readonly id: NodeId
  driver: QuorumDriver
  state: RememberingState
  store: MemoryKeyValueStore
  alive: boolean
  readonly fatal: unknown[]
}

export class DriverCluster {
  readonly scheduler = new VirtualScheduler()
  readonly random = seededRandom(7)
  readonly nodes = new Map<number, DriverNode>()
  readonly network: SimulatedNetwork<RaftMessage>
  readonly #options: Omit<QuorumDriverOptions, 'nodeId'>

  constructor(options: Partial<QuorumDriverOptions> & { readonly voterIds: readonly NodeId[] }) {
    this.#options = { clusterId: 'test-cluster', ...options }
    this.network = new SimulatedNetwork(PERFECT_NETWORK, {
      scheduler: this.scheduler,
      random: this.random,
      deliver: (to, _from, message) => {
        const node = this.nodes.get(to)
        if (node?.alive) node.driver.receive(message)
      },
    })
  }

  async start(...ids: number[]): Promise<void> {
    for (const id of ids) {
      const store = this.nodes.get(id)?.store.reopen() ?? new MemoryKeyValueStore({ writeDelayMs: WRITE_MS }, this)
      const node = this.#createNode(id as NodeId, store)
      this.nodes.set(id, node)
      const started = node.driver.start()
      // It may fail while time passes, before anybody awaits it.
      started.catch(() => {})
      await this.scheduler.advance(3 * WRITE_MS)
      await started
    }
  }

  /** As kill -9: the store keeps what had resolved, peers see the stream break and the port refuse. */
  kill(id: number, options: { readonly reported: boolean }): void {
    const node = this.node(id)
    node.alive = false
    node.store.crash()
    if (!options.reported) return
    // After what was on its way has arrived: on a real stream nothing comes after the break.
    this.scheduler.after(1, () => {
      for (const other of this.nodes.values()) if (other.alive) other.driver.peerUnreachable(node.id)
    })
  }

  node(id: number): DriverNode {
    const node = this.nodes.get(id)
    assert(node !== undefined, 'no such node', { id })
    return node
  }

  get leader(): DriverNode | null {
    const leaders = [...this.nodes.values()].filter(({ alive, driver }) => alive && driver.state.kind === 'leader')
    return leaders.toSorted((a, b) => b.driver.state.epoch - a.driver.state.epoch)[0] ?? null
  }

  /** Waits until all living nodes follow one leader that has committed in its epoch; how long it took. */
  async untilLed(timeoutMs = 10_000): Promise<number> {
    const startMs = this.scheduler.monotonicMs()
    const isLed = (): boolean => {
      const { leader } = this
      if (leader === null) return false
      const { epoch, logEndOffset } = leader.driver.state
      const living = [...this.nodes.values()].filter(({ alive }) => alive)
      return living.every(({ state, driver }) => driver.state.epoch === epoch && state.applied === logEndOffset)
    }
    assert(await this.scheduler.runUntil(isLed, timeoutMs), 'no leader in time')
    return this.scheduler.monotonicMs() - startMs
  }

  #createNode(id: NodeId, store: MemoryKeyValueStore): DriverNode {
    const state = new RememberingState()
    const fatal: unknown[] = []
    const node: DriverNode = { id, state, store, fatal, alive: true, driver: null as unknown as QuorumDriver }
    node.driver = new QuorumDriver(
      { ...this.#options, nodeId: id },
      {
        scheduler: this.scheduler,
        random: this.random,
        store,
        // A killed process sends nothing, though its object lives on here.
        peers: { send: (to, message) => node.alive && this.network.send(id, to, message) },
        stateMachine: state,
        logger: silentLogger,
        onFatal: (error) => fatal.push(error),
      },
    )
    return node
  }
}
