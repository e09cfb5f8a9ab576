/** Three brokers, a model controller and a client under one seed: faults, crashes that lose unsynced bytes, invariants after every event. */
import { seededRandom } from '@kavka/kernel'
import type { Random, Scheduler } from '@kavka/kernel'
import type { ControllerChannel, ControllerReply } from '@kavka/controller'
import { nodeId, topicPartitionName } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import { Invariants, topicPartition } from './invariants.ts'
import { logConfig } from './log-config-for-tests.ts'
import type { Remains } from './memory-log-store.ts'
import { ModelClient, PARTITIONS } from './model-client.ts'
import { ModelController } from './model-controller.ts'
import { SimulatedBroker } from './simulated-broker.ts'
import { SimulatedStreams } from './simulated-transport.ts'

/** What a seed switches on: each run has its own mix of faults. */
interface Mix {
  readonly crashes: boolean
  readonly cuts: boolean
  readonly controllerCuts: boolean
  readonly fencing: boolean
  readonly moves: boolean
  readonly slowDisks: boolean
  readonly slowReads: boolean
  readonly fullStreams: boolean
  readonly rot: boolean
}

const BROKERS = [1, 2, 3].map(nodeId)
const MIN_ISR = 2
const LAG_MS_MAX = 1500
const HEAL_MS = 30_000

export interface SimulationReport {
  readonly acked: number
  readonly judged: Readonly<Record<string, number>>
  readonly crashes: number
  readonly rots: number
  readonly elections: number
}

export class SimulatedCluster {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #mix: Mix
  readonly #controller: ModelController
  readonly #streams: SimulatedStreams
  readonly #invariants: Invariants
  readonly #brokers = new Map<NodeId, SimulatedBroker>()
  readonly #remains = new Map<NodeId, Remains>()
  readonly #controllerCut = new Set<NodeId>()
  readonly #client: ModelClient
  #crashes = 0
  #rots = 0
  #faultsOn = true
  #isRunning = false
  #failure: unknown = null

  constructor(seed: number, { scheduler }: { readonly scheduler: Scheduler }) {
    this.#scheduler = scheduler
    this.#random = seededRandom(seed)
    this.#mix = this.#chooseMix()
    this.#controller = new ModelController(BROKERS, [BROKERS, [BROKERS[1]!, BROKERS[2]!, BROKERS[0]!]])
    this.#streams = new SimulatedStreams(
      { delayMsMax: 2, fullProbability: this.#mix.fullStreams ? 0.1 : 0, noticeMsMax: this.#mix.cuts ? 800 : 5 },
      { scheduler, random: this.#random },
    )
    this.#invariants = new Invariants(
      { partitionCount: PARTITIONS, minIsr: MIN_ISR },
      {
        controller: this.#controller,
        brokers: () => this.#brokers.values(),
        remains: (partition) => this.#remainsOf(partition),
      },
    )
    this.#client = new ModelClient({
      random: this.#random,
      invariants: this.#invariants,
      brokerOf: (id) => this.#brokers.get(id),
      guard: (step) => this.#guard(step),
      failed: (cause) => {
        this.#failure ??= cause
      },
    })
    this.#controller.onChange = () => this.#broadcast()
    for (const id of BROKERS) this.#start(id)
  }

  /** The first broken promise, thrown where the driver can see it. */
  check(): void {
    if (this.#failure !== null) throw this.#failure
  }

  /** Clients and faults from now on. */
  run(): void {
    this.#isRunning = true
    this.#repeat(25, () => this.#client.step(BROKERS, this.#faultsOn ? 'read-and-write' : 'read'))
    this.#repeat(250, () => this.#faultStep())
    this.#repeat(400, () => {
      for (const broker of this.#brokers.values()) broker.store.checkpoint()
    })
  }

  /** Everything is repaired; after `HEAL_MS` the cluster must be whole. */
  heal(): void {
    this.#faultsOn = false
    this.#streams.heal()
    this.#controllerCut.clear()
    for (const id of BROKERS) if (!this.#brokers.has(id)) this.#restart(id)
    for (const id of BROKERS) this.#scheduler.after(100, () => this.#guard(() => this.#controller.unfence(id)))
    this.#broadcast()
  }

  report(): SimulationReport {
    const elections = this.#controller.partition(0).leaderEpoch + this.#controller.partition(1).leaderEpoch
    return { acked: this.#invariants.ackedCount, judged: this.#invariants.judged, crashes: this.#crashes, rots: this.#rots, elections }
  }

  /** No more requests: what is under way may finish. */
  quiesce(): void {
    this.#isRunning = false
  }

  /** Liveness, and nothing lost. */
  checkHealed(): void {
    this.#invariants.checkAll()
    this.#invariants.nothingAckedIsLost()
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const { isr, leader } = this.#controller.partition(partition)
      this.#invariants.expect('Liveness', isr.length === BROKERS.length && leader !== null, { partition, isr: isr.join() })
      const views = [...this.#brokers.values()].map(({ manager }) => manager.partition(topicPartition(partition))!)
      const state = views.map((view) => `${view.log.logEndOffset}/${view.highWatermark}`)
      this.#invariants.expect('Liveness', new Set(state).size === 1, { partition, logs: state.join(' ') })
      const [first] = views
      this.#invariants.expect('Liveness', first!.highWatermark === first!.log.logEndOffset, { partition })
    }
    this.#client.checkAnswered()
  }

  static get healMs(): number {
    return HEAL_MS
  }

  #chooseMix(): Mix {
    const on = (): boolean => this.#random.below(2) === 0
    return {
      crashes: on(),
      cuts: on(),
      controllerCuts: on(),
      fencing: on(),
      moves: on(),
      slowDisks: on(),
      slowReads: on(),
      fullStreams: on(),
      rot: on(),
    }
  }

  #start(id: NodeId): void {
    const dependencies = {
      scheduler: this.#scheduler,
      random: this.#random,
      transport: this.#streams.transportOf(id),
      controller: this.#channelOf(id),
      remains: this.#remains.get(id) ?? new Map(),
      observer: this.#invariants,
      afterEvent: () => this.#guard(() => this.#invariants.checkAll()),
    }
    const broker = new SimulatedBroker(
      {
        id,
        brokerEpoch: this.#controller.brokerEpoch(id),
        logConfig: logConfig({ minInsyncReplicas: MIN_ISR }),
        log: {
          sync: { kind: 'after', delayMsMax: this.#mix.slowDisks ? 60 : 2 },
          slowReadProbability: this.#mix.slowReads ? 0.3 : 0,
        },
        replicaLagTimeMsMax: LAG_MS_MAX,
      },
      dependencies,
    )
    this.#remains.delete(id)
    this.#brokers.set(id, broker)
    this.#publishLater(broker)
  }

  #restart(id: NodeId): void {
    this.#controller.register(id)
    this.#start(id)
    this.#scheduler.after(50 + this.#random.below(500), () =>
      this.#guard(() => {
        if (this.#brokers.has(id)) this.#controller.unfence(id)
      }),
    )
  }

  #broadcast(): void {
    for (const broker of this.#brokers.values()) this.#publishLater(broker)
  }

  /** Images may be skipped but not overtaken: a broker refuses an older one. */
  #publishLater(broker: SimulatedBroker): void {
    const { image } = this.#controller
    this.#scheduler.after(this.#random.unit() * 20, () =>
      this.#guard(() => {
        if (this.#controllerCut.has(broker.id)) this.#scheduler.after(200, () => this.#publishLater(broker))
        else {
          this.#invariants.checkAll()
          broker.publish(image)
        }
        if (broker.isAlive) this.#invariants.checkAll()
      }),
    )
  }

  #channelOf(id: NodeId): ControllerChannel {
    return {
      request: (request) =>
        new Promise((resolve) => {
          const reply = (value: ControllerReply): void => {
            this.#scheduler.after(this.#random.unit() * 10, () => {
              const isLost = this.#controllerCut.has(id) || (this.#faultsOn && this.#random.below(10) === 0)
              // What was committed with the old in-sync set must be seen with it.
              this.#guard(() => this.#invariants.checkAll())
              resolve(isLost ? { kind: 'unreachable' } : value)
            })
          }
          this.#scheduler.after(this.#random.unit() * 10, () => {
            if (this.#controllerCut.has(id)) reply({ kind: 'unreachable' })
            else if (this.#faultsOn && this.#random.below(20) === 0) reply({ kind: 'not-controller', leaderId: null })
            else reply({ kind: 'answered', body: this.#controller.answer(request.apiKey, request.body) })
          })
        }),
      openSession: () => ({ close: () => {} }),
    }
  }

  #faultStep(): void {
    if (!this.#faultsOn) return
    const id = BROKERS[this.#random.below(BROKERS.length)]!
    const other = BROKERS[this.#random.below(BROKERS.length)]!
    const { crashes, cuts, controllerCuts, fencing, moves, rot } = this.#mix
    switch (this.#random.below(8)) {
      case 0:
        if (crashes) this.#crash(id)
        break
      case 1:
        if (cuts && id !== other) this.#streams.cut(id, other)
        break
      case 2:
        this.#streams.heal()
        this.#controllerCut.clear()
        break
      case 3:
        if (controllerCuts) this.#isolateFromController(id)
        break
      case 4:
        if (fencing) this.#controller.fence(id)
        break
      case 5:
        for (const each of BROKERS) if (this.#brokers.has(each) && !this.#controllerCut.has(each)) this.#controller.unfence(each)
        break
      case 6:
        if (moves) this.#controller.moveLeader(this.#random.below(PARTITIONS), id)
        break
      case 7:
        if (rot) this.#rot(id, this.#random.below(PARTITIONS))
        break
    }
  }

  /**
   * A committed batch rots on one disk. One replica of a partition at a time, until it is whole again: what rots on all disks is gone.
   * Consumers read everywhere, so it is found soon.
   */
  #rot(id: NodeId, partition: number): void {
    const isDamaged = (other: NodeId): boolean => {
      const log = this.#brokers.get(other)?.store.get(topicPartition(partition))
      return this.#controller.isLost(partition, other) || (log !== undefined && log !== null && log.rotten.size > 0)
    }
    const log = this.#brokers.get(id)?.store.get(topicPartition(partition)) ?? null
    if (log === null || log.batches.length === 0 || BROKERS.some(isDamaged)) return
    const { isr } = this.#controller.partition(partition)
    if (isr.includes(id) && isr.length < MIN_ISR) return
    log.rot(log.batches[this.#random.below(log.batches.length)]!)
    this.#rots++
  }

  /** The controller hears no heartbeats: the broker goes on as if nothing had happened and is fenced after a while. */
  #isolateFromController(id: NodeId): void {
    this.#controllerCut.add(id)
    this.#scheduler.after(this.#random.below(1000), () =>
      this.#guard(() => {
        if (this.#controllerCut.has(id)) this.#controller.fence(id)
      }),
    )
  }

  #crash(id: NodeId): void {
    const broker = this.#brokers.get(id)
    if (broker === undefined) return
    this.#crashes++
    this.#remains.set(id, broker.crash())
    this.#brokers.delete(id)
    this.#client.forget(broker)
    this.#streams.kill(id)
    this.#invariants.nothingAckedIsLost()
    this.#scheduler.after(this.#random.below(1500), () =>
      this.#guard(() => {
        if (!this.#brokers.has(id)) this.#controller.fence(id)
      }),
    )
    this.#scheduler.after(200 + this.#random.below(4000), () =>
      this.#guard(() => {
        if (!this.#brokers.has(id)) this.#restart(id)
      }),
    )
  }

  *#remainsOf(partition: number) {
    const name = topicPartitionName(topicPartition(partition))
    for (const remains of this.#remains.values()) {
      const log = remains.get(name)
      if (log !== undefined) yield log
    }
  }

  #repeat(intervalMs: number, step: () => void): void {
    this.#scheduler.after(intervalMs * (0.5 + this.#random.unit()), () => {
      if (!this.#isRunning) return
      this.#guard(step)
      this.#repeat(intervalMs, step)
    })
  }

  #guard(step: () => void): void {
    if (this.#failure !== null) return
    try {
      step()
    } catch (error) {
      this.#failure = error
    }
  }
}
