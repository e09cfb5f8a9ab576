import { silentLogger } from '@kavka/kernel'
import type { ControllerChannel, ControllerReply } from '@kavka/controller'
import { ErrorCode } from '@kavka/protocol'
import type { AllocateProducerIdsRequest, BrokerEpoch, NodeId } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import { ProducerIdManager } from './producer-ids.ts'

function setUp(reply: (request: AllocateProducerIdsRequest, calls: number) => ControllerReply | Promise<ControllerReply>) {
  const scheduler = new VirtualScheduler()
  const requests: AllocateProducerIdsRequest[] = []
  const channel = {
    request: async ({ body }: { body: unknown }) => {
      requests.push(body as AllocateProducerIdsRequest)
      return reply(body as AllocateProducerIdsRequest, requests.length)
    },
  } as unknown as ControllerChannel
  const ids = new ProducerIdManager(
    { nodeId: 3 as NodeId },
    { channel, scheduler, logger: silentLogger, brokerEpoch: () => 17 as BrokerEpoch },
  )
  return { scheduler, requests, ids }
}

const block = (start: number, length: number): ControllerReply => ({
  kind: 'answered',
  body: { throttleTimeMs: 0, errorCode: 0, producerIdStart: start, producerIdLen: length },
})

test('ids run through the blocks without a gap or a repetition, the next block asked for ahead', async () => {
  const { ids, requests } = setUp((_request, calls) => block(1_000 * calls, 20))
  const given: number[] = []
  for (let i = 0; i < 50; i++) {
    const next = await ids.next()
    if (next.ok) given.push(next.value)
  }
  const range = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i)
  expect(given).toEqual([...range(1_000, 20), ...range(2_000, 20), ...range(3_000, 10)])
  expect(requests[0]).toEqual({ brokerId: 3, brokerEpoch: 17 })
  expect(requests.length).toBeLessThanOrEqual(4)
})

test('many at once share one request', async () => {
  const { ids, requests } = setUp(() => block(0, 1_000))
  const given = await Promise.all(Array.from({ length: 100 }, () => ids.next()))
  expect(new Set(given.map((next) => (next.ok ? next.value : -1))).size).toBe(100)
  expect(requests).toHaveLength(1)
})

test('without a controller producers wait a second and are told to come back; then it goes on', async () => {
  const { ids, scheduler } = setUp((_request, calls) => (calls < 40 ? { kind: 'not-controller', leaderId: null } : block(0, 10)))
  const answers: unknown[] = []
  void ids.next().then((next) => answers.push(next))
  await scheduler.advance(999)
  expect(answers).toEqual([])
  await scheduler.advance(1)
  expect(answers).toEqual([{ ok: false, error: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }])
  void ids.next().then((next) => answers.push(next))
  await scheduler.advance(1_000)
  void ids.next().then((next) => answers.push(next))
  await scheduler.advance(1_000)
  expect(answers.at(-1)).toEqual({ ok: true, value: expect.any(Number) })
})

test('a refusal by the controller is no block', async () => {
  const refused: ControllerReply = {
    kind: 'answered',
    body: { throttleTimeMs: 0, errorCode: ErrorCode.STALE_BROKER_EPOCH, producerIdStart: 0, producerIdLen: 0 },
  }
  const { ids, scheduler } = setUp((_request, calls) => (calls === 1 ? refused : block(5, 10)))
  const answer = ids.next()
  await scheduler.advance(100)
  expect(await answer).toEqual({ ok: true, value: 5 })
})
