import { loadavg } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClusterClient } from '../../client/cluster-client.ts'
import type { ComparedCluster, Side } from './clusters/compared-cluster.ts'
import { quickStartKafka, stockKafka } from './clusters/kafka-side.ts'
import type { SideOptions } from './clusters/kafka-side.ts'
import { kavka } from './clusters/kavka-side.ts'
import { wholeCluster } from './clusters/whole-cluster.ts'
import { pageCacheProperties } from './compared-topic.ts'
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

/** Goes through the passes; a measurement that fails costs itself and a new cluster for those after it. */
export class Comparison {
  readonly #options: ComparisonOptions
  readonly #dependencies: ComparisonDependencies
  #cluster: ComparedCluster | null = null

  constructor(options: ComparisonOptions, dependencies: ComparisonDependencies) {
    this.#options = options
    this.#dependencies = dependencies
  }

  async run(): Promise<void> {
    for (const pass of this.#options.passes) {
      for (let left = pass.measurements; left.length > 0; ) left = await this.#onOneCluster(pass, left)
    }
  }

  /** Takes down what runs. */
  async dispose(): Promise<void> {
    await this.#cluster?.dispose()
    this.#cluster = null
  }

  /** The measurements that are left when one failed, or none. */
  async #onOneCluster(pass: Pass, measurements: readonly Measurement[]): Promise<readonly Measurement[]> {
    const load = loadavg()[0]!
    let stage: 'made' | 'started' | 'warm' = 'made'
    let at = 0
    let bench: Bench | null = null
    try {
      this.#cluster = await makers[pass.side]({ nodes: pass.nodes, properties: pageCacheProperties })
      bench = { side: pass.side, cluster: this.#cluster, client: new ClusterClient(this.#cluster.bootstrap), sizes: this.#options.sizes }
      for (; at < measurements.length; at++) {
        const measurement = measurements[at]!
        if (stage === 'made' && measurement.phase !== 'start') await launchAll(this.#cluster)
        if (stage !== 'warm' && (measurement.phase === 'warm' || measurement.phase === 'last')) {
          await warmUp(bench)
          stage = 'warm'
        }
        await this.#measure(pass, measurement, bench, load)
        if (stage === 'made') stage = 'started'
      }
    } catch (error) {
      this.#failed(pass, measurements[at]!, error)
    } finally {
      bench?.client.close()
      await this.dispose()
    }
    return measurements.slice(at + 1)
  }

  async #measure(pass: Pass, measurement: Measurement, bench: Bench, load: number): Promise<void> {
    await settleDisk(dirname(bench.cluster.dataDirectory(bench.cluster.nodeIds[0]!)))
    const startedMs = performance.now()
    const figures = await withinTime(measurement, bench)
    const seconds = (performance.now() - startedMs) / 1000
    const { round, side } = pass
    this.#dependencies.record({ kind: 'measured', at: now(), round, side, measurement: measurement.name, figures, seconds, load })
    this.#dependencies.log(`round ${round}, ${side}, ${measurement.name} (${seconds.toFixed(0)} s): ${told(figures)}`)
  }

  #failed({ round, side }: Pass, measurement: Measurement, error: unknown): void {
    const logs = (this.#cluster?.nodeIds ?? []).map((nodeId) => `--- node ${nodeId}\n${this.#cluster!.log(nodeId).slice(-LOG_CHARACTERS)}`).join('\n')
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
