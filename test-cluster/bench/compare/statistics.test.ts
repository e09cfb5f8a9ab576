import { ratioOf, summarize } from './statistics.ts'

test('a summary is the middle value and the ends', () => {
  expect(summarize([5, 1, 9])).toEqual({ median: 5, min: 1, max: 9, count: 3 })
  expect(summarize([4, 1, 2, 9])).toEqual({ median: 3, min: 1, max: 9, count: 4 })
  expect(summarize([7])).toEqual({ median: 7, min: 7, max: 7, count: 1 })
  expect(summarize([])).toBeNull()
})

test('numbers are ordered as numbers', () => {
  expect(summarize([100, 9, 10])!.median).toBe(10)
})

test('a ratio is that of the medians, its spread that of the rounds', () => {
  const kafka = new Map([[1, 10], [2, 20], [3, 40]])
  const kavka = new Map([[1, 30], [2, 20], [3, 100]])
  expect(ratioOf(kafka, kavka)).toEqual({ ofMedians: 1.5, ofRounds: { min: 1, max: 3 } })
})

test('rounds that one side misses count for the median only', () => {
  expect(ratioOf(new Map([[1, 10], [2, 10]]), new Map([[2, 5], [3, 15]]))).toEqual({ ofMedians: 1, ofRounds: null })
  expect(ratioOf(new Map([[1, 10]]), new Map([[2, 5]]))).toEqual({ ofMedians: 0.5, ofRounds: null })
})

test('nothing, and nothing to divide by, have no ratio', () => {
  expect(ratioOf(new Map(), new Map([[1, 1]]))).toBeNull()
  expect(ratioOf(new Map([[1, 1]]), new Map())).toBeNull()
  expect(ratioOf(new Map([[1, 0]]), new Map([[1, 1]]))).toBeNull()
})
