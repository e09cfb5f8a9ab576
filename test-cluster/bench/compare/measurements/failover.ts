import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../../process/eventually.ts'
import { allInSync } from '../clusters/whole-cluster.ts'
import { comparedTopic } from '../compared-topic.ts'
import { AvailabilityProbe } from '../load/availability-probe.ts'
import { bothSides } from '../measurement.ts'
import type { Bench, Measurement } from '../measurement.ts'

const group = 'Starting and failing'
const PARTITIONS = 6
const STEADY_MS = 2000
const RECOVERY_MS_MAX = 120_000

/** A node is asked to stop, comes back, and has everything again. */
export const restart: Measurement = {
  name: 'restart', group, phase: 'own', profile: 'full', sides: bothSides,
  rows: {
    gap: { title: 'Controlled restart, longest time without an acknowledged write', unit: 'ms', better: 'lower', target: 1 },
    stop: { title: 'Controlled restart, until the process is gone', unit: 's', better: 'lower', target: 1 },
    back: { title: 'Controlled restart, from its start until in sync again', unit: 's', better: 'lower', target: 1 },
  },
  async measure(bench) {
    const topic = await comparedTopic(bench, 'restart', { partitions: PARTITIONS })
    const { nodeId, led } = await leaderOf(bench, topic)
    const probe = await steadyProbe(bench, topic, led)
    const startedMs = performance.now()
    await bench.cluster.end(nodeId, 'SIGTERM')
    const stoppedMs = performance.now()
    bench.cluster.launch(nodeId)
    await allInSync(bench.client, [topic], RECOVERY_MS_MAX)
    const backMs = performance.now()
    await eventually(() => probe.allWroteSince(backMs), { what: 'writes go on after the restart', withinMs: RECOVERY_MS_MAX })
    await probe.stop()
    return { gap: probe.longestGapMs(startedMs), stop: (stoppedMs - startedMs) / 1000, back: (backMs - stoppedMs) / 1000 }
  },
}

/** The node that leads is killed; the partitions it led are written to again by clients that try without pause. */
export const failover: Measurement = {
  name: 'failover', group, phase: 'own', profile: 'quick', sides: bothSides,
  rows: {
    gap: { title: 'kill -9 of a leader to the next acknowledged write', unit: 'ms', better: 'lower', target: 0.1, inPicture: 'Leader killed to the next write' },
  },
  async measure(bench) {
    const topic = await comparedTopic(bench, 'failover', { partitions: PARTITIONS })
    const { nodeId, led } = await leaderOf(bench, topic)
    const probe = await steadyProbe(bench, topic, led)
    const killedMs = performance.now()
    await bench.cluster.end(nodeId, 'SIGKILL')
    const goneMs = performance.now()
    await eventually(() => probe.allWroteSince(goneMs), { what: 'writes go on after the kill', withinMs: RECOVERY_MS_MAX, everyMs: 5 })
    await probe.stop()
    return { gap: probe.longestGapMs(killedMs) }
  },
}

/** The node that leads partition 0, and all the partitions that it leads. */
async function leaderOf({ client }: Bench, topic: string): Promise<{ readonly nodeId: number; readonly led: readonly number[] }> {
  await allInSync(client, [topic], RECOVERY_MS_MAX)
  const partitions = await client.partitions(topic)
  const nodeId = partitions[0]!.leaderId
  return { nodeId, led: partitions.filter(({ leaderId }) => leaderId === nodeId).map(({ partitionIndex }) => partitionIndex) }
}

async function steadyProbe({ cluster }: Bench, topic: string, partitions: readonly number[]): Promise<AvailabilityProbe> {
  const probe = new AvailabilityProbe(cluster.bootstrap, topic, partitions)
  probe.start()
  await sleep(STEADY_MS)
  await eventually(() => probe.allWroteSince(0), { what: 'the probe writes' })
  return probe
}
