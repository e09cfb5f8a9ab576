/** xxHash32 with seed 0, as the LZ4 frame format wants it for its header and block checksums. */

const PRIME_1 = 0x9e3779b1
const PRIME_2 = 0x85ebca77
const PRIME_3 = 0xc2b2ae3d
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1)
}

/** uint32. */
export function xxHash32(data: Buffer): number {
  let at = 0
  let hash = PRIME_5
  if (data.length >= 16) {
    let a = (PRIME_1 + PRIME_2) | 0
    let b = PRIME_2 | 0
    let c = 0
    let d = -PRIME_1 | 0
    for (; at + 16 <= data.length; at += 16) {
      a = round(a, data.readInt32LE(at))
      b = round(b, data.readInt32LE(at + 4))
      c = round(c, data.readInt32LE(at + 8))
      d = round(d, data.readInt32LE(at + 12))
    }
    hash = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0
  }
  hash = (hash + data.length) | 0
  for (; at + 4 <= data.length; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(data.readInt32LE(at), PRIME_3)) | 0, 17), PRIME_4)
  }
  for (; at < data.length; at++)
    hash = Math.imul(rotate((hash + Math.imul(data[at]!, PRIME_5)) | 0, 11), PRIME_1)
  return avalanche(hash)
}

function avalanche(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  mixed = Math.imul(mixed ^ (mixed >>> 13), PRIME_3)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
