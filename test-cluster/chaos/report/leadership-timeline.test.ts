import { metadata } from '../checkers/history-notation.ts'
import { changesWithin, leadershipChanges } from './leadership-timeline.ts'

const history = [
  metadata(0, 1, 1, 4, [1, 2, 3]), metadata(10, 2, 1, 4, [1, 2, 3]), metadata(20, 2, 2, 5, [2, 3]), metadata(25, 1, 1, 4, [1, 2, 3]),
  metadata(30, 2, 2, 5, [1, 2, 3]),
]

test('only changes count, and who lags is not believed', () => {
  expect(leadershipChanges(history).get('p')!.map(({ atMs, leader, isr }) => [atMs, leader, isr.length])).toEqual([[1, 1, 3], [21, 2, 2], [31, 2, 3]])
})

test('leaders that changed and sets that shrank within a time', () => {
  const changes = leadershipChanges(history)
  expect(changesWithin(changes, 0, 100)).toEqual({ leaders: 1, shrinks: 1 })
  expect(changesWithin(changes, 22, 100)).toEqual({ leaders: 0, shrinks: 0 })
})
