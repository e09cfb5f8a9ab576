import { seededRandom } from '@kavka/kernel'
import type { ControllerReply, ControllerRequest } from '@kavka/controller'
import { nodeId } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import { ControllerAsks } from './controller-asks.ts'

function setUp() {
  const scheduler = new VirtualScheduler()
  const requests: { readonly things: unknown; readonly reply: (reply: ControllerReply) => void; readonly fail: (cause: Error) => void }[] = []
  const controller = {
    request: ({ body }: ControllerRequest) => new Promise<ControllerReply>((reply, fail) => requests.push({ things: body, reply, fail })),
    openSession: () => ({ close: () => {} }),
  }
  let waiting: string[] = []
  const answers: unknown[] = []
  const asks = new ControllerAsks<string, 'done' | 'again'>({ localId: nodeId(1), requestTimeoutMs: 1_000 }, {
    apiKey: 56,
    apiVersion: 3,
    isWaiting: () => waiting.length > 0,
    take: () => waiting.splice(0),
    bodyFor: (things) => things,
    answered: (things, response) => {
      answers.push(things)
      if (response === 'again') waiting = [...things, ...waiting]
      return response
    },
    unanswered: (things) => void (waiting = [...things, ...waiting]),
  }, { controller, scheduler, random: seededRandom(1) })
  const ask = (thing: string): void => {
    waiting.push(thing)
    asks.request()
  }
  return { scheduler, requests, answers, asks, ask }
}

test('what a turn asks goes into one request, and what comes up meanwhile into the next', async () => {
  const { scheduler, requests, ask, answers } = setUp()
  ask('a')
  ask('b')
  await scheduler.advance(0)
  ask('c')
  await scheduler.advance(10_000)
  expect(requests.map(({ things }) => things)).toEqual([['a', 'b']])
  requests[0]!.reply({ kind: 'answered', body: 'done' })
  await scheduler.advance(0)
  expect(requests.map(({ things }) => things)).toEqual([['a', 'b'], ['c']])
  expect(answers).toEqual([['a', 'b']])
})

test.each([
  ['is not the active controller', { kind: 'not-controller', leaderId: null }],
  ['cannot be reached', { kind: 'unreachable' }],
  ['settles only a part', { kind: 'answered', body: 'again' }],
] as const)('a controller that %s is asked again, later and later', async (_name, reply) => {
  const { scheduler, requests, ask } = setUp()
  ask('a')
  const sentMs: number[] = []
  while (requests.length < 8) {
    const before = requests.length
    await scheduler.runUntil(() => requests.length > before)
    sentMs.push(scheduler.monotonicMs())
    requests.at(-1)!.reply(reply)
  }
  const pauses = sentMs.slice(1).map((at, index) => at - sentMs[index]!)
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(25)
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1_000)
  expect(pauses.at(-1)!).toBeGreaterThan(pauses[0]! * 4)
  expect(requests.every(({ things }) => String(things) === 'a')).toBe(true)
})

test('a channel that fails is as good as no answer', async () => {
  const { scheduler, requests, ask } = setUp()
  ask('a')
  await scheduler.advance(0)
  requests[0]!.fail(new Error('closed'))
  await scheduler.runUntil(() => requests.length === 2)
  expect(requests[1]!.things).toEqual(['a'])
})

test('once stopped it neither asks nor hears', async () => {
  const { scheduler, requests, ask, asks, answers } = setUp()
  ask('a')
  await scheduler.advance(0)
  asks.stop()
  ask('b')
  requests[0]!.reply({ kind: 'answered', body: 'done' })
  await scheduler.advance(10_000)
  expect([requests.length, answers]).toEqual([1, []])
})
