import { assert } from './assert.ts'

/** A source of randomness that a seed can replace. */
export interface Random {
  /** An integer in [0, bound). */
  below(bound: number): number
  /** A number in [0, 1). */
  unit(): number
  /** `length` random bytes. */
  bytes(length: number): Uint8Array
}

/** A small, fast, seeded generator (xoshiro128** seeded by splitmix32): the same seed gives the same sequence for ever. */
export function seededRandom(seed: number): Random {
  const state = new Uint32Array(4)
  let mix = seed >>> 0
  for (let i = 0; i < 4; i++) state[i] = nextSplitmix()

  function nextSplitmix(): number {
    mix = (mix + 0x9e3779b9) >>> 0
    let z = mix
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) >>> 0
  }

  function next(): number {
    const [a, b, c, d] = state as unknown as [number, number, number, number]
    const product = Math.imul(b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const shifted = b << 9
    const c1 = c ^ a
    const d1 = d ^ b
    state[1] = b ^ c1
    state[0] = a ^ d1
    state[2] = c1 ^ shifted
    state[3] = (d1 << 11) | (d1 >>> 21)
    return result
  }

  return {
    below: (bound) => {
      assert(Number.isInteger(bound) && bound > 0, 'bound must be a positive integer', { bound })
      return Math.floor((next() / 2 ** 32) * bound)
    },
    unit: () => next() / 2 ** 32,
    bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff),
  }
}
