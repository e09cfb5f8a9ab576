import { ChaosRun } from './chaos-run.ts'
import { ManagedCluster } from './cluster/managed-cluster.ts'
import { probeMachine } from './machine/machine.ts'
import { nemesesNamed, whyNot } from './nemeses/all-nemeses.ts'
import { timelineSvg } from './report/timeline-svg.ts'
import { verdictText } from './report/verdict-text.ts'

// The long mix is `npm run chaos`. On a machine without namespaces or loop devices this one kills, pauses and restarts only.
test('a short mix of faults breaks no promise', async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
  const machine = probeMachine()
  const nemeses = nemesesNamed('kill,pause,kill-all,isolate-leader,power-loss-all,full-disk').filter((one) => whyNot(one, machine, { isManaged: true }, true) === null)
  const cluster = await ManagedCluster.start({ nodes: 3, properties: {}, wants: { network: true, disks: true, clocks: false } }, machine)
  try {
    const run = new ChaosRun({
      durationMs: 20_000, nemeses, seed, topic: 'chaos', partitions: 3, replicationFactor: 3, everyMs: 60, holdMs: [500, 1500], quietMs: [200, 600], overlap: 0.25,
      gapMsMax: 30_000, lagMsMax: 10_000, log: () => {},
    }, cluster)
    const result = await run.run()
    const broken = result.results.filter(({ count }) => count > 0)
    expect({ seed, broken }).toEqual({ seed, broken: [] })
    expect(result.faults.length).toBeGreaterThan(1)
    expect(verdictText(result, [])).toContain('everything that was promised was kept')
    expect(timelineSvg(result)).toMatch(/^<svg [^]*<\/svg>\n$/)
  } finally {
    await cluster.dispose()
  }
}, 180_000)
