import { loadavg } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClusterClient } from '../../client/cluster-client.ts'
import type { ComparedCluster, Side } from './clusters/compared-cluster.ts'
import { quickStartKafka, stockKafka } from './clusters/kafka-side.ts'
import type { SideOptions } from './clusters/kafka-side.ts'
import { kavka } from './clusters/kavka-side.ts'
import { wholeCluster } from './clusters/whole-cluster.ts'
import { comparedProperties, removeTopics } from './compared-topic.ts'
import { freeze, thaw, unfreeze } from './frozen-cluster.ts'
import type { Bench, Figures, Measurement, Sizes } from './measurement.ts'
import { warmUp } from './measurements/warm-up.ts'
import { settleDisk } from './page-cache.ts'
import type { ResultLine } from './results-file.ts'
import type { Pass } from './schedule.ts'

export interface ComparisonOptions {
  readonly passes: readonly Pass[]
  readonly sizes: Sizes
}

export interface ComparisonDependencies {
  /** Takes every result as soon as it is there. */
  readonly record: (line: ResultLine) => void
  readonly log: (line: string) => void
}

const makers: Readonly<Record<Side, (options: SideOptions) => Promise<ComparedCluster>>> = {
  kafka: stockKafka, 'kafka-quick-start': quickStartKafka, kavka,
}
/** Of the log of each node, when something fails. */
const LOG_CHARACTERS = 800
/** Longer than the longest of them takes anywhere; one that hangs must not cost the rest of the night. */
const MEASUREMENT_MS_MAX = 45 * 60_000

/** A cluster and how far it has come. */
interface Live {
  readonly bench: Bench
  readonly load: number
  readonly stage: 'made' | 'started' | 'warm'
  readonly isFrozen: boolean
}

/** Goes through the passes; a measurement that fails costs itself and a new cluster for those after it. */
export class Comparison {
  readonly #options: ComparisonOptions
  readonly #dependencies: ComparisonDependencies
  /** What runs now: the kept ones of the sides, or a single fresh one. */
  readonly #live = new Map<Side, Live>()

  constructor(options: ComparisonOptions, dependencies: ComparisonDependencies) {
    this.#options = options
    this.#dependencies = dependencies
  }

  async run(): Promise<void> {
    for (const pass of this.#options.passes) {
      // Only kept clusters may be there while others are measured.
      if (pass.cluster === 'fresh') await this.dispose()
      this.#freezeOthers(pass.side)
      for (const measurement of pass.measurements) await this.#survive(pass, measurement)
    }
    await this.dispose()
  }

  /** Takes down what runs. */
  async dispose(): Promise<void> {
    for (const side of [...this.#live.keys()]) await this.#disposeOf(side)
  }

  async #disposeOf(side: Side): Promise<void> {
    const live = this.#live.get(side)
    this.#live.delete(side)
    if (live === undefined) return
    live.bench.client.close()
    if (live.isFrozen) unfreeze(live.bench.cluster)
    await live.bench.cluster.dispose()
  }

  #freezeOthers(side: Side): void {
    for (const [other, live] of this.#live) {
      if (other === side || live.isFrozen) continue
      freeze(live.bench.cluster)
      this.#live.set(other, { ...live, isFrozen: true })
    }
  }

  async #survive(pass: Pass, measurement: Measurement): Promise<void> {
    try {
      await this.#measure(pass, measurement, await this.#readyFor(pass, measurement))
    } catch (error) {
      this.#failed(pass, measurement, error)
      await this.#disposeOf(pass.side)
    }
  }

  /** The cluster of the side, made, started and warmed up as far as the measurement wants it. */
  async #readyFor(pass: Pass, { phase }: Measurement): Promise<Live> {
    let live = this.#live.get(pass.side) ?? await this.#make(pass)
    if (live.isFrozen) live = await this.#thaw(live)
    if (live.stage === 'made' && phase !== 'start') live = await this.#launch(live)
    if (live.stage !== 'warm' && phase === 'warm') live = await this.#warm(live)
    const ready: Live = { ...live, bench: { ...live.bench, round: pass.round } }
    this.#live.set(pass.side, ready)
    return ready
  }

  async #make({ side, nodes, round }: Pass): Promise<Live> {
    const load = loadavg()[0]!
    const cluster = await makers[side]({ nodes, properties: comparedProperties })
    const client = new ClusterClient(cluster.bootstrap)
    const live: Live = { bench: { side, round, cluster, client, sizes: this.#options.sizes, topics: [], warmTopic: '' }, load, stage: 'made', isFrozen: false }
    this.#live.set(side, live)
    return live
  }

  async #launch(live: Live): Promise<Live> {
    await launchAll(live.bench.cluster)
    return { ...live, stage: 'started' }
  }

  async #thaw(live: Live): Promise<Live> {
    await thaw(live.bench)
    return { ...live, isFrozen: false }
  }

  async #warm(live: Live): Promise<Live> {
    const { topic, costs } = await warmUp(live.bench)
    this.#dependencies.log(`${live.bench.side} is warm; CPU s/GB of each step: ${costs.map((cost) => cost.toFixed(1)).join(' ')}`)
    return { ...live, stage: 'warm', bench: { ...live.bench, warmTopic: topic } }
  }

  async #measure(pass: Pass, measurement: Measurement, { bench, load, stage }: Live): Promise<void> {
    await settleDisk(dirname(bench.cluster.dataDirectory(bench.cluster.nodeIds[0]!)))
    const startedMs = performance.now()
    const figures = await withinTime(measurement, bench)
    const seconds = (performance.now() - startedMs) / 1000
    const { round, side } = pass
    this.#dependencies.record({ kind: 'measured', at: now(), round, side, measurement: measurement.name, figures, seconds, load })
    this.#dependencies.log(`round ${round}, ${side}, ${measurement.name} (${seconds.toFixed(0)} s): ${told(figures)}`)
    if (stage === 'made') this.#live.set(side, { bench, load, stage: 'started', isFrozen: false })
    if (measurement.phase === 'warm') await removeTopics(bench)
  }

  #failed({ round, side }: Pass, measurement: Measurement, error: unknown): void {
    const cluster = this.#live.get(side)?.bench.cluster
    const logs = (cluster?.nodeIds ?? []).map((nodeId) => `--- node ${nodeId}\n${cluster!.log(nodeId).slice(-LOG_CHARACTERS)}`).join('\n')
    this.#dependencies.record({ kind: 'failed', at: now(), round, side, measurement: measurement.name, error: String(error).slice(0, 2000) })
    this.#dependencies.log(`round ${round}, ${side}, ${measurement.name} FAILED: ${String(error)}\n${logs}`)
  }
}

async function launchAll(cluster: ComparedCluster): Promise<void> {
  for (const nodeId of cluster.nodeIds) cluster.launch(nodeId)
  await wholeCluster(cluster)
}

async function withinTime(measurement: Measurement, bench: Bench): Promise<Figures> {
  const giveUp = new AbortController()
  const late = sleep(MEASUREMENT_MS_MAX, null, { signal: giveUp.signal }).then((): never => {
    throw new Error(`${measurement.name} took longer than ${MEASUREMENT_MS_MAX / 60_000} minutes`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([measurement.measure(bench), late])
  } finally {
    giveUp.abort()
  }
}

function told(figures: Figures): string {
  return Object.entries(figures).map(([key, value]) => `${key} ${Number(value.toPrecision(4))}`).join(', ')
}

function now(): string {
  return new Date().toISOString()
}
