import { assertPresent } from '@kavka/kernel'
import { HoldingProxy } from '../machine/holding-proxy.ts'
import { describeNode, someLeader } from './nemesis.ts'
import type { Nemesis } from './nemesis.ts'

/** Of what goes to a node and back, one chunk in so many is held, and everything behind it on its connection. */
const SHARES = [0.001, 0.004, 0.016]
/** Longer than clients, and nodes, wait for an answer. */
const HOLD_MS = [500, 9_000] as const
const PROXY_PORT_FIRST = 40_001

/**
 * A frame that is held while its sender gives up, connects elsewhere and goes on, and that arrives then: what a slow router does, and what
 * no partition does, since TCP forgets what was on its way.
 */
export const heldFrames: Nemesis = {
  name: 'held-frames', does: 'what goes to a node and back is held for seconds now and then, and arrives late, behind what was sent after it', reach: 'minority',
  target: 'links', needs: ['network', 'diversion'], managedOnly: true,
  async strike(stage) {
    const network = assertPresent(stage.cluster.network, 'the nodes have namespaces')
    const victim = someLeader(stage)
    const share = SHARES[stage.random.below(SHARES.length)]!
    const ports = victim.ports.map((port, index) => [PROXY_PORT_FIRST + index, port] as const)
    const proxy = await HoldingProxy.start(
      { host: network.host(victim.nodeId), ports, seed: stage.random.below(2 ** 31), share, holdMs: HOLD_MS },
      network.wrapper(victim.nodeId),
    )
    const diverted = ports.map(([from, to]) => network.divert(victim.nodeId, to, from))
    return {
      description: `${share * 100} % of the chunks to and from ${describeNode(stage, victim)} held for up to ${HOLD_MS[1] / 1000} s`,
      heal: async () => {
        for (const each of diverted) each.heal()
        await proxy.stop()
      },
    }
  },
}
