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
import type { DiskFindings } from './disk/disk-check.ts'
import type { FaultRecord } from './fault-record.ts'
import type { History } from './history/operation.ts'
import type { Rot } from './nemeses/bit-flips.ts'
import { canOverlap } from './nemeses/nemesis.ts'
import type { Fault, Nemesis } from './nemeses/nemesis.ts'
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
  /** Share of the blows that two nemeses strike together, from 0 to 1. */
  readonly overlap: number
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
  /** Bits that a nemesis turned around on a disk and that nobody has read since. */
  readonly unreadRot: number
  /** Names of errors that clients met, with how often. */
  readonly errors: ReadonlyMap<string, number>
}

const WHOLE_MS_MAX = 60_000
/** A node's whole log may stand in an error. */
const ERROR_CHARACTERS_MAX = 1000
/** Under which name blows of two nemeses are counted. */
const TWO_AT_ONCE = 'two at once'

/** One run: the workload, fault after fault, and in the end the judgment. */
export class ChaosRun {
  readonly #options: ChaosOptions
  readonly #cluster: ChaosCluster
  readonly #random: Random
  readonly #faults: FaultRecord[] = []
  readonly #ends: string[] = []
  readonly #unrecovered: string[] = []
  readonly #rot: Rot[] = []

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
    try {
      await this.#breakThings(workload, startedMs + durationMs)
    } catch (error) {
      // What was seen until then is judged all the same.
      this.#unrecovered.push(`the run ended early: ${String(error).slice(0, ERROR_CHARACTERS_MAX)}`)
    }
    return this.#judge(workload, startedMs)
  }

  async #breakThings(workload: Workload, untilMs: number): Promise<void> {
    const deck = new Deck(this.#options.nemeses, this.#random)
    while (performance.now() < untilMs && this.#unrecovered.length === 0) {
      await pauseMs(this.#between(this.#options.quietMs))
      const nemesis = deck.next()
      if (nemesis === null) continue
      const second = this.#random.unit() < this.#options.overlap ? deck.nextBeside(nemesis) : null
      await this.#fault(nemesis, second, workload)
    }
  }

  /** Strikes, waits, heals and waits until all is well again; now and then a second fault comes while the first lasts. */
  async #fault(nemesis: Nemesis, second: Nemesis | null, workload: Workload): Promise<void> {
    const fromMs = performance.now()
    const faults = [await this.#strike(nemesis, [], workload)]
    await pauseMs(this.#hold())
    if (second !== null) {
      faults.push(await this.#strike(second, faults, workload))
      await pauseMs(this.#hold())
    }
    for (const { rot = [] } of faults) this.#rot.push(...rot)
    workload.assertAlive()
    const description = faults.map((fault) => fault.description).join('; ')
    await this.#noteDeaths(description, faults.flatMap(({ mayEnd = [] }) => mayEnd))
    await healAll(faults).catch((error: unknown) => this.#unrecovered.push(`healing of ${description}: ${String(error).slice(0, ERROR_CHARACTERS_MAX)}`))
    const healedMs = performance.now()
    const inSyncMs = await this.#untilWhole(workload, description, faults.flatMap(({ mayEnd = [] }) => mayEnd))
    const record: FaultRecord = {
      nemesis: second === null ? nemesis.name : TWO_AT_ONCE, names: second === null ? [nemesis.name] : [nemesis.name, second.name],
      reach: second === null ? nemesis.reach : 'majority', description, fromMs, healedMs, inSyncMs, wholeMs: performance.now(),
    }
    this.#faults.push(record)
    const took = `in sync ${(inSyncMs - healedMs).toFixed(0)} ms, whole ${(record.wholeMs - healedMs).toFixed(0)} ms after healing`
    this.#options.log(`${this.#faults.length}. ${description}: ${took}`)
  }

  #strike(nemesis: Nemesis, before: readonly Fault[], { view }: Workload): Promise<Fault> {
    const spared = new Set(nemesis.target === 'links' ? [] : before.flatMap(({ holds = [] }) => holds))
    return nemesis.strike({ cluster: this.#cluster, view, random: this.#random, spared })
  }

  /** A process that ended though nobody told it to is a finding, and is started again. */
  async #noteDeaths(description: string, mayEnd: readonly number[]): Promise<void> {
    for (const node of this.#cluster.nodes) {
      if (node.isRunning || mayEnd.includes(node.nodeId)) continue
      this.#ends.push(`node ${node.nodeId} ended by itself during: ${description}`)
      await node.start().catch((error: unknown) => this.#unrecovered.push(`node ${node.nodeId} does not come back: ${String(error).slice(0, ERROR_CHARACTERS_MAX)}`))
    }
  }

  /** Resolves with when every replica was in sync. */
  async #untilWhole(workload: Workload, after: string, mayEnd: readonly number[] = []): Promise<number> {
    const sinceMs = performance.now()
    let inSyncMs: number | null = null
    try {
      await eventually(async () => {
        workload.assertAlive()
        // Whoever may end because of the fault may do so a moment after it was healed.
        for (const node of this.#cluster.nodes) if (!node.isRunning && mayEnd.includes(node.nodeId)) await node.start()
        if (workload.isInSync()) inSyncMs ??= performance.now()
        return workload.isWhole(sinceMs)
      }, { what: 'every partition has a leader, all replicas in sync and takes writes', withinMs: WHOLE_MS_MAX, everyMs: 50 })
    } catch (error) {
      const state = workload.view.partitions().map(({ key, leader, leaderEpoch, isr }) => `${key} leader ${leader} epoch ${leaderEpoch} isr ${isr.join(',')}`)
      this.#unrecovered.push(`after ${after}: ${String(error)} (${state.join('; ')})`)
    }
    await this.#noteDeaths(after, [])
    return inSyncMs ?? performance.now()
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
      ...(onDisk === null ? [] : [resultOf('K-DISK', onDisk.problems)]),
      resultOf('K-AVAIL', [...unavailableTooLong(history, windows, gapMsMax), ...this.#unrecovered, ...unread]),
      resultOf('K-CLEAN', [...this.#ends, ...this.#cluster.problems()]),
    ]
    return { seed: this.#options.seed, startedMs, endedMs, history, faults: this.#faults, results, unreadRot: onDisk?.unread ?? 0, errors: workload.errors }
  }

  async #stopAndScan({ view }: Workload, ends: readonly number[]): Promise<DiskFindings> {
    await Promise.all(this.#cluster.nodes.map((node) => (node.isRunning ? node.terminate() : Promise.resolve())))
    return checkDisks(this.#cluster.nodes, { topic: this.#options.topic, ends, rot: this.#rot, replicasOf: (key) => view.replicas(key) })
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

  /** One that can strike while the other lasts; it stays in the deck. */
  nextBeside(first: Nemesis): Nemesis | null {
    const candidates = this.#all.filter((nemesis) => canOverlap(first, nemesis))
    return candidates[this.#random.below(Math.max(1, candidates.length))] ?? null
  }
}

/** Links first: a node that starts must reach the others. */
async function healAll(faults: readonly Fault[]): Promise<void> {
  const holdsNothing = ({ holds = [] }: Fault): boolean => holds.length === 0
  for (const fault of faults.filter(holdsNothing)) await fault.heal()
  await Promise.all(faults.filter((fault) => !holdsNothing(fault)).map((fault) => fault.heal()))
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
