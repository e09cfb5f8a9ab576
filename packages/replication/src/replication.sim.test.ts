import { VirtualScheduler } from '@kavka/testkit'
import { SimulatedCluster } from './simulation/simulated-cluster.ts'
import type { SimulationReport } from './simulation/simulated-cluster.ts'

/** `SEED=n` replays one; `SEEDS=n` runs more; `SEED_FROM=n` starts elsewhere. */
const seedsDefault = 60
const seeds = seedList()

/** Times of one run, in virtual milliseconds. */
const FAULTS_MS = 12_000
const QUIET_MS = 5_000

test(`replication keeps its promises under seeds ${seeds[0]}…${seeds.at(-1)}`, async () => {
  const totals: Record<string, number> = {}
  for (const seed of seeds) {
    const report = await simulate(seed)
    for (const [name, count] of Object.entries(report.judged)) totals[name] = (totals[name] ?? 0) + count
    totals['acked'] = (totals['acked'] ?? 0) + report.acked
    totals['crashes'] = (totals['crashes'] ?? 0) + report.crashes
    totals['rots'] = (totals['rots'] ?? 0) + report.rots
    totals['elections'] = (totals['elections'] ?? 0) + report.elections
  }
  if (process.env['SIM_REPORT'] !== undefined) process.stdout.write(`${JSON.stringify(totals, null, 1)}\n`)
  // A check that never had anything to judge proves nothing.
  if (seeds.length < 20) return
  for (const name of EVERY_CHECK) expect(totals[name] ?? 0).toBeGreaterThan(0)
}, 3_600_000)

const EVERY_CHECK = [
  'P1 StrongIsr',
  'P2 LeaderCompleteness',
  'P3 LeaderCandidateCompleteness',
  'P4 ReplicationQuorumSuperset',
  'P5 LogMatching',
  'P6 NoCommittedLossGlobally',
  'P7 ConsistentRead',
  'P8 AppliedHWMonotonic',
  'P9 AckRule',
  'P10 TruncationSafety',
  'P12 LeaderEpochFencing',
  'P13 OffsetDensity',
  'P15 DivergenceReported',
  'Liveness',
  'acked',
  'crashes',
  'rots',
  'elections',
]

async function simulate(seed: number): Promise<SimulationReport> {
  const scheduler = new VirtualScheduler()
  const cluster = new SimulatedCluster(seed, { scheduler })
  try {
    cluster.run()
    await advance(scheduler, cluster, FAULTS_MS)
    cluster.heal()
    await advance(scheduler, cluster, SimulatedCluster.healMs)
    cluster.quiesce()
    await advance(scheduler, cluster, QUIET_MS)
    cluster.checkHealed()
    return cluster.report()
  } catch (cause) {
    throw new Error(`SEED=${seed} at ${scheduler.monotonicMs().toFixed(3)} ms`, { cause })
  }
}

async function advance(scheduler: VirtualScheduler, cluster: SimulatedCluster, durationMs: number): Promise<void> {
  for (let left = durationMs; left > 0; left -= 100) {
    await scheduler.advance(Math.min(left, 100))
    cluster.check()
  }
}

function seedList(): number[] {
  const only = process.env['SEED']
  if (only !== undefined) return [Number(only)]
  const from = Number(process.env['SEED_FROM'] ?? 1)
  return Array.from({ length: Number(process.env['SEEDS'] ?? seedsDefault) }, (_, index) => from + index)
}
