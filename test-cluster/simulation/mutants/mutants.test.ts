import { patchesOf } from './mutant.ts'
import { mutants } from './mutants.ts'
import { occurrencesOf } from './source-tree.ts'

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))('still applies: %s', (_name, mutant) => {
  for (const patch of patchesOf(mutant)) {
    expect(occurrencesOf(patch)).toBe(1)
    expect(patch.replace).not.toBe(patch.find)
  }
})

test('each planted bug has a name of its own', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
})
