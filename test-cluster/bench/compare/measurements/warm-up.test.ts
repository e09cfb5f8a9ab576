import { isAtRest } from './warm-up.ts'

test('a cluster is warm when two steps in a row were no cheaper than the best before them', () => {
  expect(isAtRest([])).toBe(false)
  expect(isAtRest([91, 44, 35])).toBe(false)
  expect(isAtRest([91, 44, 35, 23, 26])).toBe(false)
  expect(isAtRest([91, 44, 35, 23, 26, 23])).toBe(true)
})

test('a step that is a little cheaper is noise', () => {
  expect(isAtRest([10, 9.8, 9.7])).toBe(true)
})
