/** Nemeses of the network between nodes. Clients reach every node unless it says otherwise. */
import { assertPresent } from '@kavka/kernel'
import type { Broken, NodeNetwork } from '../machine/node-network.ts'
import { anyNode, describeNode, someLeader } from './nemesis.ts'
import type { Fault, Nemesis, Stage } from './nemesis.ts'

/** What is broken, and in words. */
type Cut = (network: NodeNetwork, stage: Stage) => readonly [broken: readonly Broken[], description: string]

const RATES = ['512kbit', '2mbit', '8mbit']
const LOSS_PERCENT_MAX = 30

export const isolateLeader: Nemesis = partition('isolate-leader', 'a leader and the other nodes no longer hear each other', (network, stage) => {
  const victim = someLeader(stage)
  return [isolate(network, stage, victim.nodeId), `${describeNode(stage, victim)} isolated from the others`]
})

export const isolateEntirely: Nemesis = partition('isolate-entirely', 'a leader hears neither nodes nor clients', (network, stage) => {
  const victim = someLeader(stage)
  return [[...isolate(network, stage, victim.nodeId), network.cutClients(victim.nodeId)], `${describeNode(stage, victim)} isolated from everybody`]
})

export const oneWay: Nemesis = partition('partition-one-way', 'packets from or to one node vanish, in one direction only', (network, stage) => {
  const victim = someLeader(stage)
  const deaf = stage.random.below(2) === 0
  const broken = othersThan(stage, victim.nodeId).map((other) => (deaf ? network.cut(other, victim.nodeId) : network.cut(victim.nodeId, other)))
  return [broken, `${describeNode(stage, victim)} ${deaf ? 'does not hear the others' : 'is not heard by the others'}`]
})

export const onePair: Nemesis = partition('partition-pair', 'two nodes do not hear each other, everybody else does', (network, stage) => {
  const a = anyNode(stage)
  const others = stage.cluster.nodes.filter(({ nodeId }) => nodeId !== a.nodeId)
  const b = others[stage.random.below(others.length)]!
  return [cutBoth(network, a.nodeId, b.nodeId), `${describeNode(stage, a)} and ${describeNode(stage, b)} do not hear each other`]
})

/** From five nodes on everybody hears a majority, and no two majorities are the same; with three nobody can talk to anybody. */
export const ring: Nemesis = {
  ...partition('partition-ring', 'overlapping majorities (five nodes), or nobody can talk to anybody (three)', (network, stage) => {
    const ids = stage.cluster.nodes.map(({ nodeId }) => nodeId)
    const broken = ids.flatMap((nodeId, index) => {
      const other = ids[(index + Math.floor(ids.length / 2)) % ids.length]!
      // TCP needs both ways: one-way cuts in a circle of three end every conversation.
      return ids.length < 5 ? [network.cut(nodeId, other)] : cutBoth(network, nodeId, other)
    })
    return [broken, ids.length < 5 ? 'no node can talk to another' : 'every node hears its two neighbors only']
  }),
  reach: 'majority',
}

export const slowLink: Nemesis = {
  name: 'slow-link', does: 'everything a node sends goes through a thin pipe', reach: 'minority', target: 'links', needs: ['network', 'shaping'], managedOnly: true,
  strike: (stage) => broken(stage, (network) => {
    const victim = someLeader(stage)
    const rate = RATES[stage.random.below(RATES.length)]!
    return [[network.slow(victim.nodeId, rate)], `${rate} out of ${describeNode(stage, victim)}`]
  }),
}

export const lossyLink: Nemesis = {
  name: 'lossy-link', does: 'a share of the packets to a node is lost', reach: 'minority', target: 'links', needs: ['network'], managedOnly: true,
  strike: (stage) => broken(stage, (network) => {
    const victim = someLeader(stage)
    const percent = 5 + stage.random.below(LOSS_PERCENT_MAX - 5)
    return [[network.lose(victim.nodeId, percent)], `${percent} % of the packets to ${describeNode(stage, victim)} lost`]
  }),
}

function partition(name: string, does: string, cut: Cut): Nemesis {
  return { name, does, reach: 'minority', target: 'links', needs: ['network'], managedOnly: true, strike: (stage) => broken(stage, cut) }
}

function broken(stage: Stage, cut: Cut): Promise<Fault> {
  const network = assertPresent(stage.cluster.network, 'the nodes have namespaces')
  const [parts, description] = cut(network, stage)
  return Promise.resolve({
    description,
    heal: () => {
      for (const part of parts) part.heal()
      return Promise.resolve()
    },
  })
}

function othersThan({ cluster }: Stage, nodeId: number): number[] {
  return cluster.nodes.map((node) => node.nodeId).filter((other) => other !== nodeId)
}

function isolate(network: NodeNetwork, stage: Stage, nodeId: number): Broken[] {
  return othersThan(stage, nodeId).flatMap((other) => cutBoth(network, nodeId, other))
}

function cutBoth(network: NodeNetwork, a: number, b: number): Broken[] {
  return [network.cut(a, b), network.cut(b, a)]
}
