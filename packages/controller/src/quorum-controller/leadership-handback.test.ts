import type { NodeId } from '@kavka/protocol'
import { ControllerNode } from '../testing/controller-node.ts'
import { HANDBACK_DELAY_MS } from './quorum-controller.ts'

describe('leadership goes back', () => {
  async function restarted(properties: Readonly<Record<string, string>> = {}): Promise<ControllerNode> {
    const node = await (await new ControllerNode(properties).activate()).start(1, 2)
    void node.createTopic('t', [1, 2])
    await node.settle()
    node.verdicts.set(9001, 'refused')
    node.controller.sessionLost(1 as NodeId, node.epochOf(1))
    await node.settle()
    node.verdicts.clear()
    await node.start(1)
    void node.alterIsr('t', [2, 1])
    await node.settle()
    return node
  }

  async function live(node: ControllerNode, ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1000) {
      await node.settle(1000)
      for (const id of [1, 2]) void node.heartbeat(id)
    }
    await node.settle()
  }

  test('seconds after the preferred leader is in sync again', async () => {
    const node = await restarted()
    expect(node.partition('t')).toMatchObject({ leader: 2, isr: [2, 1] })
    expect(node.controller.metrics.preferredReplicaImbalanceCount).toBe(1)
    await live(node, HANDBACK_DELAY_MS - 1000)
    expect(node.partition('t').leader).toBe(2)
    await live(node, 1000)
    expect(node.partition('t').leader).toBe(1)
    expect(node.controller.metrics.preferredReplicaImbalanceCount).toBe(0)
  })

  test('not when that is turned off', async () => {
    const node = await restarted({ 'auto.leader.rebalance.enable': 'false' })
    await live(node, 400_000)
    expect(node.partition('t').leader).toBe(2)
  })

  test('also when the controller changed meanwhile', async () => {
    const node = await restarted()
    node.quorum.follow(101)
    await node.activate()
    for (const id of [1, 2]) node.controller.sessionOpened(id as NodeId, node.epochOf(id))
    await live(node, HANDBACK_DELAY_MS)
    expect(node.partition('t').leader).toBe(1)
  })
})
