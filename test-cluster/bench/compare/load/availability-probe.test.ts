import { longestGapMs } from './availability-probe.ts'

test('the longest silence around an event counts, not one before it', () => {
  expect(longestGapMs([0, 900, 905, 910, 1200, 1205], 908)).toBe(290)
  expect(longestGapMs([0, 900, 905, 1200, 1205], 910)).toBe(295)
})

test('without two acknowledgments there is no gap', () => {
  expect(longestGapMs([], 0)).toBe(0)
  expect(longestGapMs([5], 0)).toBe(0)
})
