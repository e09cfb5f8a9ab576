import { mutants } from './mutants.ts'
import { occurrencesOf } from './source-tree.ts'

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))('still applies: %s', (_name, mutant) => {
  expect(occurrencesOf(mutant)).toBe(1)
  expect(mutant.replace).not.toBe(mutant.find)
})

test('each planted bug has a name of its own', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
})
