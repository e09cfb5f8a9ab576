import { ApiKey } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import { ENTRY_BYTES_MAX } from '../raft/messages.ts'
import { ControllerNode } from '../testing/controller-node.ts'
import { jsonRecordCodec } from '../testing/json-record-codec.ts'
import { RECORDS_PER_PART_MAX } from './entry-parts.ts'

describe('decisions with very many records', () => {
  const TOPICS = 2
  const PARTITIONS = 5_500

  /** Brokers 1 and 2 have replicas of everything; 1 leads all of it. */
  async function withManyPartitions(): Promise<ControllerNode> {
    const node = await (await new ControllerNode().activate()).start(1, 2)
    for (let i = 0; i < TOPICS; i++) {
      const assignments = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({ partitionIndex, brokerIds: [1, 2] }))
      const topic = { name: `t${i}`, numPartitions: -1, replicationFactor: -1, assignments, configs: [] }
      void node.request(ApiKey.CreateTopics, 7, { topics: [topic], timeoutMs: 0, validateOnly: false })
      await node.settle()
    }
    expect(node.loader.image.topics.byId.size).toBe(TOPICS)
    return node
  }

  const ledBy = (node: ControllerNode, id: number): number => {
    const topics = [...node.loader.image.topics.byId.values()]
    return topics.flatMap(({ partitions }) => partitions).filter(({ leader }) => leader === id).length
  }

  test('go into several entries, none of which is too large', async () => {
    const node = await withManyPartitions()
    const { length } = node.quorum.log
    node.verdicts.set(9001, 'refused')
    node.controller.sessionLost(1 as NodeId, node.epochOf(1))
    await node.settle()
    const entries = node.quorum.log.slice(length)
    expect(entries.length).toBeGreaterThan(1)
    for (const { payload } of entries) {
      expect(payload.length).toBeLessThan(ENTRY_BYTES_MAX)
      expect(jsonRecordCodec.decode(payload).length).toBeLessThanOrEqual(RECORDS_PER_PART_MAX)
    }
    expect([node.isFenced(1), ledBy(node, 1), ledBy(node, 2)]).toEqual([true, 0, TOPICS * PARTITIONS])
  }, 60_000)

  test('a controller that dies in the middle of a fencing leaves it to the next, which finishes it', async () => {
    const node = await withManyPartitions()
    node.verdicts.set(9001, 'refused')
    node.controller.sessionLost(1 as NodeId, node.epochOf(1))
    const { length } = node.quorum.log
    await node.scheduler.advance(0)
    expect(node.quorum.log.length).toBeGreaterThan(length + 1)
    node.quorum.commit(length + 1)
    expect([node.isFenced(1), ledBy(node, 1) < TOPICS * PARTITIONS]).toEqual([false, true])
    node.quorum.follow(101)
    await node.activate()
    await node.settle()
    expect([node.isFenced(1), ledBy(node, 1), ledBy(node, 2)]).toEqual([true, 0, TOPICS * PARTITIONS])
  }, 60_000)

  test('a controller that dies in the middle of a return leaves no partition without a leader', async () => {
    const node = await withManyPartitions()
    for (const id of [2, 1]) {
      void node.heartbeat(id, { wantFence: true })
      await node.settle()
    }
    expect(ledBy(node, 1) + ledBy(node, 2)).toBe(0)
    const { length } = node.quorum.log
    void node.heartbeat(1)
    await node.scheduler.advance(0)
    node.quorum.commit(length + 1)
    const led = ledBy(node, 1)
    expect([node.isFenced(1), led > 0, led < TOPICS * PARTITIONS]).toEqual([false, true, true])
    node.quorum.follow(101)
    await node.activate()
    for (let pass = 0; pass < 30; pass++) await node.settle()
    expect(ledBy(node, 1)).toBe(TOPICS * PARTITIONS)
  }, 60_000)

  test('what must be one entry and is too large for it is refused', async () => {
    const node = await (await new ControllerNode().activate()).start(1)
    const configs = [{ name: 'leader.replication.throttled.replicas', value: 'x'.repeat(5_000_000) }]
    const topic = { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs }
    const reply = node.request(ApiKey.CreateTopics, 7, { topics: [topic], timeoutMs: 0, validateOnly: false })
    await node.settle()
    expect(await reply).toMatchObject({ kind: 'answered' })
    expect(node.loader.image.topics.byId.size).toBe(0)
  })
})
