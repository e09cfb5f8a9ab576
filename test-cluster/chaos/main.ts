// npm run chaos: breaks a cluster on purpose while clients write and read, and tells whether it kept what it promised.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClusterClient } from '../client/cluster-client.ts'
import { parseChaosOptions, usage } from './chaos-options.ts'
import type { ChaosSettings } from './chaos-options.ts'
import { ChaosRun } from './chaos-run.ts'
import type { ChaosResult } from './chaos-run.ts'
import type { ChaosCluster } from './cluster/chaos-cluster.ts'
import { ExternalCluster } from './cluster/external-cluster.ts'
import { ManagedCluster } from './cluster/managed-cluster.ts'
import { linesOf } from './history/recorder.ts'
import { installTools, probeMachine } from './machine/machine.ts'
import type { Machine } from './machine/machine.ts'
import { allNemeses, whyNot } from './nemeses/all-nemeses.ts'
import type { Nemesis } from './nemeses/nemesis.ts'
import { timelineSvg } from './report/timeline-svg.ts'
import { isClean, verdictText } from './report/verdict-text.ts'

/** Beyond the nine seconds after which a broker that is not heard loses its session. */
const HOLD_MS = [1000, 15_000] as const
const QUIET_MS = [500, 3000] as const
const LAG_MS_MAX = 10_000
const COPIES = 3

async function main(settings: ChaosSettings): Promise<boolean> {
  installTools(console.log)
  const machine = probeMachine()
  if (settings.list) return list(machine)
  const canStop = settings.external !== null && settings.external.stopCommand !== null && settings.external.startCommand !== null
  const problem = (nemesis: Nemesis): string | null => whyNot(nemesis, machine, { isManaged: settings.external === null }, canStop)
  const chosen = settings.nemeses.filter((nemesis) => problem(nemesis) === null)
  const skipped = settings.nemeses.filter((nemesis) => problem(nemesis) !== null).map((nemesis) => `${nemesis.name} (${problem(nemesis)})`)
  console.log(`SEED=${settings.seed}; nemeses: ${chosen.map(({ name }) => name).join(', ') || 'none'}`)
  for (const line of skipped) console.log(`not available: ${line}`)
  const cluster = await clusterFor(settings, chosen, machine)
  if (cluster.isManaged && cluster.network === null && chosen.length > 0) console.log('nodes run on loopback: links between them stay whole')
  const abandon = (): void => void cluster.dispose().finally(() => process.exit(130))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, abandon)
  try {
    const run = new ChaosRun({
      durationMs: settings.minutes * 60_000, nemeses: chosen, seed: settings.seed, topic: settings.topic, partitions: settings.partitions,
      replicationFactor: Math.min(COPIES, cluster.nodes.length), everyMs: settings.everyMs, holdMs: HOLD_MS, quietMs: QUIET_MS, overlap: settings.overlap,
      gapMsMax: settings.gapMsMax, lagMsMax: LAG_MS_MAX, log: (line) => console.log(line),
    }, cluster)
    return save(settings, await run.run(), skipped)
  } finally {
    if (cluster instanceof ManagedCluster) {
      mkdirSync(settings.output, { recursive: true })
      const logs = join(settings.output, 'nodes.log')
      writeFileSync(logs, '')
      cluster.saveLogs(logs)
    }
    await cluster.dispose()
  }
}

async function clusterFor(settings: ChaosSettings, nemeses: readonly Nemesis[], machine: Machine): Promise<ChaosCluster> {
  if (settings.external !== null) {
    const client = new ClusterClient(settings.external.bootstrap)
    try {
      const { brokers } = await client.metadata([])
      return new ExternalCluster({ ...settings.external, nodeIds: brokers.map(({ nodeId }) => nodeId) })
    } finally {
      client.close()
    }
  }
  const needs = (what: keyof Machine): boolean => nemeses.some((nemesis) => nemesis.needs.includes(what))
  return ManagedCluster.start({
    nodes: settings.nodes, properties: {}, wants: { network: needs('network'), disks: needs('disks'), clocks: needs('clocks') },
  }, machine)
}

function save(settings: ChaosSettings, result: ChaosResult, skipped: readonly string[]): boolean {
  mkdirSync(settings.output, { recursive: true })
  const text = verdictText(result, skipped)
  writeFileSync(join(settings.output, 'verdict.txt'), `${text}\n`)
  writeFileSync(join(settings.output, 'timeline.svg'), timelineSvg(result))
  writeFileSync(join(settings.output, 'history.jsonl'), linesOf(result.history).map((line) => `${JSON.stringify(line)}\n`).join(''))
  console.log(`\n${text}\nwritten: verdict.txt, timeline.svg, history.jsonl${settings.external === null ? ', nodes.log' : ''} in ${settings.output}`)
  return isClean(result)
}

function list(machine: Machine): boolean {
  for (const nemesis of allNemeses) {
    const problem = whyNot(nemesis, machine, { isManaged: true }, true)
    console.log(`${nemesis.name.padEnd(18)} ${nemesis.does}${problem === null ? '' : `\n${' '.repeat(19)}not here: ${problem}`}`)
  }
  return true
}

let settings: ChaosSettings
try {
  settings = parseChaosOptions(process.argv.slice(2), Date.now)
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
  process.exit(2)
}
process.exitCode = (await main(settings)) ? 0 : 1
