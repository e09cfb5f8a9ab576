import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from './random.ts'

/** The operating system's randomness. */
export const systemRandom: Random = {
  below: (bound) => randomInt(bound),
  unit: () => randomInt(2 ** 47) / 2 ** 47,
  bytes: (length) => randomBytes(length),
}
