/** Nemeses of the network between nodes. Clients reach every node unless it says otherwise. */
import { assertPresent } from '@kavka/kernel'
import type { NodeNetwork } from '../machine/node-network.ts'
import { anyNode, describeNode, someLeader } from './nemesis.ts'
import type { Fault, Nemesis, Stage } from './nemesis.ts'

type Cut = (network: NodeNetwork, stage: Stage) => string

const RATES = ['512kbit', '2mbit', '8mbit']
const LOSS_PERCENT_MAX = 30

export const isolateLeader: Nemesis = partition('isolate-leader', 'a leader and the other nodes no longer hear each other', (network, stage) => {
  const victim = someLeader(stage)
  for (const { nodeId } of stage.cluster.nodes) if (nodeId !== victim.nodeId) cutBoth(network, nodeId, victim.nodeId)
  return `${describeNode(stage, victim)} isolated from the others`
})

export const isolateEntirely: Nemesis = partition('isolate-entirely', 'a leader hears neither nodes nor clients', (network, stage) => {
  const victim = someLeader(stage)
  for (const { nodeId } of stage.cluster.nodes) if (nodeId !== victim.nodeId) cutBoth(network, nodeId, victim.nodeId)
  network.cutClients(victim.nodeId)
  return `${describeNode(stage, victim)} isolated from everybody`
})

export const oneWay: Nemesis = partition('partition-one-way', 'packets from or to one node vanish, in one direction only', (network, stage) => {
  const victim = someLeader(stage)
  const deaf = stage.random.below(2) === 0
  for (const { nodeId } of stage.cluster.nodes) {
    if (nodeId === victim.nodeId) continue
    if (deaf) network.cut(nodeId, victim.nodeId)
    else network.cut(victim.nodeId, nodeId)
  }
  return `${describeNode(stage, victim)} ${deaf ? 'does not hear the others' : 'is not heard by the others'}`
})

export const onePair: Nemesis = partition('partition-pair', 'two nodes do not hear each other, everybody else does', (network, stage) => {
  const a = anyNode(stage)
  const others = stage.cluster.nodes.filter(({ nodeId }) => nodeId !== a.nodeId)
  const b = others[stage.random.below(others.length)]!
  cutBoth(network, a.nodeId, b.nodeId)
  return `${describeNode(stage, a)} and ${describeNode(stage, b)} do not hear each other`
})

/** From five nodes on everybody hears a majority, and no two majorities are the same; with three nobody can talk to anybody. */
export const ring: Nemesis = {
  ...partition('partition-ring', 'overlapping majorities (five nodes), or nobody can talk to anybody (three)', (network, stage) => {
    const ids = stage.cluster.nodes.map(({ nodeId }) => nodeId)
    ids.forEach((nodeId, index) => {
      const other = ids[(index + Math.floor(ids.length / 2)) % ids.length]!
      // TCP needs both ways: one-way cuts in a circle of three end every conversation.
      if (ids.length < 5) network.cut(nodeId, other)
      else cutBoth(network, nodeId, other)
    })
    return ids.length < 5 ? 'no node can talk to another' : 'every node hears its two neighbors only'
  }),
  reach: 'majority',
}

export const slowLink: Nemesis = {
  name: 'slow-link', does: 'everything a node sends goes through a thin pipe', reach: 'minority', needs: ['network', 'shaping'], managedOnly: true,
  strike: (stage) => broken(stage, (network) => {
    const victim = someLeader(stage)
    const rate = RATES[stage.random.below(RATES.length)]!
    network.slow(victim.nodeId, rate)
    return `${rate} out of ${describeNode(stage, victim)}`
  }),
}

export const lossyLink: Nemesis = {
  name: 'lossy-link', does: 'a share of the packets to a node is lost', reach: 'minority', needs: ['network'], managedOnly: true,
  strike: (stage) => broken(stage, (network) => {
    const victim = someLeader(stage)
    const percent = 5 + stage.random.below(LOSS_PERCENT_MAX - 5)
    network.lose(victim.nodeId, percent)
    return `${percent} % of the packets to ${describeNode(stage, victim)} lost`
  }),
}

function partition(name: string, does: string, cut: Cut): Nemesis {
  return { name, does, reach: 'minority', needs: ['network'], managedOnly: true, strike: (stage) => broken(stage, cut) }
}

function broken(stage: Stage, cut: Cut): Promise<Fault> {
  const network = assertPresent(stage.cluster.network, 'the nodes have namespaces')
  const description = cut(network, stage)
  return Promise.resolve({ description, heal: () => Promise.resolve(network.heal()) })
}

function cutBoth(network: NodeNetwork, a: number, b: number): void {
  network.cut(a, b)
  network.cut(b, a)
}
