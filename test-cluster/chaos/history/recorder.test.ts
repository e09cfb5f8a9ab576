import { HistoryRecorder, linesOf } from './recorder.ts'

const send = { f: 'send', process: 'w', key: 'p', values: [1], baseOffset: null, idempotent: true, attempts: 1 } as const

function recorder(): { history: HistoryRecorder; clock: { ms: number } } {
  const clock = { ms: 0 }
  return { clock, history: new HistoryRecorder(() => clock.ms) }
}

test('what was acknowledged has both times and what the answer said', () => {
  const { history, clock } = recorder()
  const operation = history.invoke(send)
  clock.ms = 7
  operation.ok({ baseOffset: 3 })
  expect(history.history()).toEqual([{ ...send, baseOffset: 3, invokedMs: 0, returnedMs: 7, outcome: 'ok', error: null }])
  expect([history.lastWriteMs('p'), history.lastWriteMs('q')]).toEqual([0, -Infinity])
})

test('what nobody knows, and what never came back, has no end', () => {
  const { history, clock } = recorder()
  history.invoke(send)
  const lost = history.invoke(send)
  clock.ms = 7
  lost.info('CONNECTION_LOST')
  expect(history.history().map(({ outcome, returnedMs, error }) => [outcome, returnedMs, error])).toEqual([
    ['info', Infinity, 'CONNECTION_LOST'], ['info', Infinity, 'never returned'],
  ])
})

test('an operation is completed once', () => {
  const { history } = recorder()
  const operation = history.invoke(send)
  operation.fail('NOT_ENOUGH_REPLICAS')
  expect(() => operation.ok()).toThrow(/completed twice/)
})

test('a read that never came back is forgotten', () => {
  const { history } = recorder()
  history.draft({ f: 'latest', process: 'l', key: 'p', offset: -1, leaderEpoch: 0 })
  expect(history.history()).toEqual([])
})

test('as lines: invocations and completions in the order of time', () => {
  const { history, clock } = recorder()
  const first = history.invoke(send)
  clock.ms = 1
  history.invoke({ ...send, process: 'v' })
  clock.ms = 2
  first.ok()
  expect(linesOf(history.history()).map(({ type, timeMs, process }) => [type, timeMs, process])).toEqual([['invoke', 0, 'w'], ['invoke', 1, 'v'], ['ok', 2, 'w']])
})
