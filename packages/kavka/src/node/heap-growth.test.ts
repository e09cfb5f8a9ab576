import { growthPercent } from './heap-growth.ts'

const MEBIBYTE = 1024 * 1024

test('a small heap gets room for Buffers that does not depend on its size', () => {
  for (const live of [10, 22, 60]) {
    const room = (growthPercent(live * MEBIBYTE) / 100) * live
    expect(room).toBeGreaterThanOrEqual(88)
    expect(room).toBeLessThan(89)
  }
})

test('a large heap grows by a share of itself', () => {
  expect(growthPercent(400 * MEBIBYTE)).toBe(50)
})
