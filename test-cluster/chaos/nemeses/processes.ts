/** Nemeses of processes: killed, paused, restarted. */
import type { ChaosNode } from '../cluster/chaos-cluster.ts'
import { eventually } from '../../process/eventually.ts'
import { anyNode, describeNode, someLeader } from './nemesis.ts'
import type { Nemesis, Stage } from './nemesis.ts'

export const kill: Nemesis = {
  name: 'kill', does: 'kill -9 of one node, mostly one that leads', reach: 'minority', target: 'node', needs: [], managedOnly: false,
  async strike(stage) {
    const victim = stage.random.below(4) === 0 ? anyNode(stage) : someLeader(stage)
    const description = `kill -9 of ${describeNode(stage, victim)}`
    await victim.kill()
    return { description, mayEnd: [victim.nodeId], holds: [victim.nodeId], heal: () => victim.start() }
  },
}

export const killAll: Nemesis = {
  name: 'kill-all', does: 'kill -9 of all nodes at once', reach: 'majority', target: 'all-nodes', needs: [], managedOnly: false,
  async strike({ cluster }) {
    await Promise.all(cluster.nodes.map((node) => node.kill()))
    return { description: 'kill -9 of all nodes', mayEnd: cluster.nodes.map(({ nodeId }) => nodeId), holds: cluster.nodes.map(({ nodeId }) => nodeId), heal: () => startAll(cluster.nodes) }
  },
}

export const pause: Nemesis = {
  name: 'pause', does: 'SIGSTOP of one node: silent, but not dead', reach: 'minority', target: 'node', needs: [], managedOnly: true,
  async strike(stage) {
    const victim = someLeader(stage)
    const pid = victim.pid!
    const description = `pause of ${describeNode(stage, victim)}`
    process.kill(pid, 'SIGSTOP')
    return Promise.resolve({ description, holds: [victim.nodeId], heal: () => Promise.resolve(void process.kill(pid, 'SIGCONT')) })
  },
}

export const rollingRestart: Nemesis = {
  name: 'rolling-restart', does: 'SIGTERM and start of one node after the other', reach: 'minority', target: 'alone', needs: [], managedOnly: false,
  async strike(stage) {
    for (const node of stage.cluster.nodes) {
      await whole(stage)
      await node.terminate()
      await node.start()
    }
    return { description: 'restart of all nodes, one after the other', heal: () => Promise.resolve() }
  },
}

export async function startAll(nodes: readonly ChaosNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.start()))
}

async function whole({ view, cluster }: Stage): Promise<void> {
  const copies = Math.min(3, cluster.nodes.length)
  await eventually(() => view.partitions().every(({ isr, leader }) => leader >= 0 && isr.length >= copies), {
    what: 'all replicas are in sync before the next restart', withinMs: 60_000, everyMs: 50,
  })
}
