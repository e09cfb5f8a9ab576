import { longestUnavailability, unavailableTooLong } from './availability.ts'
import { send } from './history-notation.ts'

const window = { name: 'kill', fromMs: 100, toMs: 300 }

test.each([
  ['a gap in the middle', [send([90, 99], [1], 0), send([100, 101], [2], 1), send([290, 291], [3], 2)], 190],
  ['a gap that begins before', [send([1, 2], [1], 0), send([150, 152], [2], 1), send([298, 300], [3], 2)], 150],
  ['silence to the end', [send([100, 110], [1], 0)], 190],
  ['nothing at all within', [send([1, 2], [1], 0)], 298],
])('flags %s', (_, history, gapMs) => {
  expect(longestUnavailability(history, window)).toEqual({ key: 'p', gapMs })
  expect(unavailableTooLong(history, [window], gapMs - 1)).toHaveLength(1)
})

test.each([
  ['writes all the time', [send([0, 90], [1], 0), send([0, 150], [2], 1), send([0, 220], [3], 2), send([0, 290], [4], 3), send([0, 310], [5], 4)]],
  ['gaps outside', [send([0, 1], [1], 0), send([0, 99], [2], 1), send([0, 180], [3], 2), send([0, 250], [4], 3), send([0, 300], [5], 4), send([0, 900], [6], 5)]],
  ['no writes to judge by', []],
])('passes %s', (_, history) => {
  expect(unavailableTooLong(history, [window], 100)).toEqual([])
})

test('refusals and lost answers are not writes', () => {
  const history = [send([0, 99], [1], 0), send([0, 200], [2], 1, { outcome: 'fail' }), send([0, 300], [3], 2)]
  expect(longestUnavailability(history, window)).toEqual({ key: 'p', gapMs: 201 })
})
