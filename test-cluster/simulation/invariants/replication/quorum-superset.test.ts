import { notWaitedFor } from './quorum-superset.ts'

const committed = { isr: [1, 2, 3], minIsr: 2 }

test.each([
  ['the same set', { kind: 'committed', isr: [1, 2, 3] }],
  ['one that it would be rid of', { kind: 'shrinking', isr: [1, 2, 3] }],
  ['one that it has asked for', { kind: 'expanding', isr: [1, 2], joining: 3 }],
] as const)('a leader that waits for %s', (_whom, known) => {
  expect(notWaitedFor(known, committed)).toEqual([])
})

test.each([
  ['has counted out before it was told so', { kind: 'committed', isr: [1, 2] }, [3]],
  ['has not asked for', { kind: 'expanding', isr: [1, 2], joining: 4 }, [3]],
  ['has never heard of', { kind: 'shrinking', isr: [1] }, [2, 3]],
] as const)('P4 is broken by one that the leader %s', (_how, known, missing) => {
  expect(notWaitedFor(known, committed)).toEqual(missing)
})

test('below the minimum nothing is committed, whoever is waited for', () => {
  expect(notWaitedFor({ kind: 'committed', isr: [1] }, { isr: [2], minIsr: 2 })).toEqual([])
})
