import { seededRandom } from '@kavka/kernel'
import type { Random } from '@kavka/kernel'
import { ClusterClient } from '../client/cluster-client.ts'
import { eventually } from '../process/eventually.ts'
import { historyCheckers } from './checkers/all-checkers.ts'
import { unavailableTooLong } from './checkers/availability.ts'
import { resultOf, runCheckers } from './checkers/checker.ts'
import type { CheckResult } from './checkers/checker.ts'
import type { ChaosCluster } from './cluster/chaos-cluster.ts'
import { checkDisks } from './disk/disk-check.ts'
import type { FaultRecord } from './fault-record.ts'
import type { History } from './history/operation.ts'
import type { Nemesis, Stage } from './nemeses/nemesis.ts'
import { pauseMs } from './workload/patience.ts'
import { Workload } from './workload/workload.ts'

export interface ChaosOptions {
  readonly durationMs: number
  readonly nemeses: readonly Nemesis[]
  readonly seed: number
  readonly topic: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly everyMs: number
  /** How long a fault lasts, at least and at most. */
  readonly holdMs: readonly [min: number, max: number]
  readonly quietMs: readonly [min: number, max: number]
  /** Longest time without an acknowledged write during a fault that leaves a majority. */
  readonly gapMsMax: number
  readonly lagMsMax: number
  readonly log: (line: string) => void
}

export interface ChaosResult {
  readonly seed: number
  readonly startedMs: number
  readonly endedMs: number
  readonly history: History
  readonly faults: readonly FaultRecord[]
  readonly results: readonly CheckResult[]
  /** Names of errors that clients met, with how often. */
  readonly errors: ReadonlyMap<string, number>
}

const WHOLE_MS_MAX = 60_000

/** One run: the workload, fault after fault, and in the end the judgment. */
export class ChaosRun {
  readonly #options: ChaosOptions
  readonly #cluster: ChaosCluster
  readonly #random: Random
  readonly #faults: FaultRecord[] = []
  readonly #ends: string[] = []
  readonly #unrecovered: string[] = []

  constructor(options: ChaosOptions, cluster: ChaosCluster) {
    this.#options = options
    this.#cluster = cluster
    this.#random = seededRandom(options.seed)
  }

  async run(): Promise<ChaosResult> {
    const { topic, partitions, replicationFactor, everyMs, durationMs, seed } = this.#options
    const clients = seededRandom(seed + 1)
    const workload = await Workload.start(
      { bootstrap: this.#cluster.bootstrap, topic, partitions, replicationFactor, everyMs, topicConfigs: { 'min.insync.replicas': String(this.#inSyncMin), 'segment.bytes': '1048576' } },
      { nowMs: () => performance.now(), random: () => clients.unit() },
    )
    const startedMs = performance.now()
    await this.#untilWhole(workload, 'the start')
    const deck = new Deck(this.#options.nemeses, this.#random)
    while (performance.now() < startedMs + durationMs && this.#unrecovered.length === 0) {
      await pauseMs(this.#between(this.#options.quietMs))
      const nemesis = deck.next()
      if (nemesis !== null) await this.#fault(nemesis, workload)
    }
    return this.#judge(workload, startedMs)
  }

  async #fault(nemesis: Nemesis, workload: Workload): Promise<void> {
    const stage: Stage = { cluster: this.#cluster, view: workload.view, random: this.#random }
    const fromMs = performance.now()
    const fault = await nemesis.strike(stage)
    await pauseMs(this.#hold())
    workload.assertAlive()
    await this.#noteDeaths(fault.description, fault.mayEnd ?? [])
    await fault.heal()
    const healedMs = performance.now()
    await this.#untilWhole(workload, fault.description)
    const record: FaultRecord = {
      nemesis: nemesis.name, reach: nemesis.reach, description: fault.description,
      fromMs, healedMs, wholeMs: performance.now(),
    }
    this.#faults.push(record)
    this.#options.log(`${this.#faults.length}. ${fault.description}: whole ${(record.wholeMs - healedMs).toFixed(0)} ms after healing`)
  }

  /** A process that ended though nobody told it to is a finding, and is started again. */
  async #noteDeaths(description: string, mayEnd: readonly number[]): Promise<void> {
    for (const node of this.#cluster.nodes) {
      if (node.isRunning || mayEnd.includes(node.nodeId)) continue
      this.#ends.push(`node ${node.nodeId} ended by itself during: ${description}`)
      await node.start()
    }
  }

  async #untilWhole(workload: Workload, after: string): Promise<void> {
    const sinceMs = performance.now()
    try {
      await eventually(() => {
        workload.assertAlive()
        return workload.isWhole(sinceMs)
      }, { what: 'every partition has a leader, all replicas in sync and takes writes', withinMs: WHOLE_MS_MAX, everyMs: 50 })
    } catch (error) {
      const state = workload.view.partitions().map(({ key, leader, leaderEpoch, isr }) => `${key} leader ${leader} epoch ${leaderEpoch} isr ${isr.join(',')}`)
      this.#unrecovered.push(`after ${after}: ${String(error)} (${state.join('; ')})`)
    }
    await this.#noteDeaths(after, [])
  }

  async #judge(workload: Workload, startedMs: number): Promise<ChaosResult> {
    const { topic, partitions, log, lagMsMax, gapMsMax } = this.#options
    log('reading everything back')
    await workload.stop()
    const endedMs = performance.now()
    const ends = await endsOf(this.#cluster.bootstrap, topic, partitions)
    const unread = await workload.readEverything(ends)
    const onDisk = this.#cluster.isManaged ? await this.#stopAndScan(workload, ends) : null
    const history = workload.history.history()
    const windows = this.#faults.filter(({ reach }) => reach === 'minority').map((fault) => ({ name: fault.description, fromMs: fault.fromMs, toMs: fault.wholeMs }))
    const context = { faults: this.#faults.map(({ fromMs, wholeMs }) => ({ fromMs, toMs: wholeMs })), lagMsMax, inSyncMin: this.#inSyncMin }
    const results = [
      ...runCheckers(historyCheckers, history, context),
      ...(onDisk === null ? [] : [resultOf('K-DISK', onDisk)]),
      resultOf('K-AVAIL', [...unavailableTooLong(history, windows, gapMsMax), ...this.#unrecovered, ...unread]),
      resultOf('K-CLEAN', [...this.#ends, ...this.#cluster.problems()]),
    ]
    return { seed: this.#options.seed, startedMs, endedMs, history, faults: this.#faults, results, errors: workload.errors }
  }

  async #stopAndScan({ view }: Workload, ends: readonly number[]): Promise<string[]> {
    await Promise.all(this.#cluster.nodes.map((node) => (node.isRunning ? node.terminate() : Promise.resolve())))
    return checkDisks(this.#cluster.nodes, { topic: this.#options.topic, ends, replicasOf: (key) => view.replicas(key) })
  }

  get #inSyncMin(): number {
    return Math.min(2, this.#options.replicationFactor)
  }

  /** More short faults than long ones. */
  #hold(): number {
    const [min, max] = this.#options.holdMs
    return min + this.#random.unit() ** 2 * (max - min)
  }

  #between([min, max]: readonly [number, number]): number {
    return min + this.#random.unit() * (max - min)
  }
}

/** Every nemesis once, in random order, before any comes again. */
class Deck {
  readonly #all: readonly Nemesis[]
  readonly #random: Random
  #left: Nemesis[] = []

  constructor(all: readonly Nemesis[], random: Random) {
    this.#all = all
    this.#random = random
  }

  next(): Nemesis | null {
    if (this.#left.length === 0) this.#left = [...this.#all]
    if (this.#left.length === 0) return null
    return this.#left.splice(this.#random.below(this.#left.length), 1)[0]!
  }
}

async function endsOf(bootstrap: string, topic: string, partitions: number): Promise<number[]> {
  const client = new ClusterClient(bootstrap)
  try {
    const ends: number[] = []
    for (let partition = 0; partition < partitions; partition++) ends.push(await client.listOffset(topic, partition, -1))
    return ends
  } finally {
    client.close()
  }
}
