import { ZERO_UUID } from '../ids.ts'
import { uuidAt, writeUuid } from './uuid.ts'

function bytesOf(number: number): Buffer {
  const bytes = Buffer.alloc(16)
  for (let i = 0; i < 4; i++) bytes.writeInt32BE(Math.imul(number + i * 7, 0x9e3779b1), 4 * i)
  return bytes
}

test('text and bytes stand for each other, whatever ids came in between and share a place', () => {
  for (let round = 0; round < 3; round++) {
    for (let number = 0; number < 3_000; number++) {
      const bytes = bytesOf(number % (1_000 * (round + 1)))
      const text = bytes.toString('base64url')
      expect(uuidAt(Buffer.concat([Buffer.alloc(3), bytes]), 3)).toBe(text)
      const written = Buffer.alloc(20, 0xff)
      expect(writeUuid(written, 2, text)).toBe(true)
      expect(written.equals(Buffer.concat([Buffer.alloc(2, 0xff), bytes, Buffer.alloc(2, 0xff)]))).toBe(true)
    }
  }
})

test('ids that differ in a single bit are told apart', () => {
  const bytes = bytesOf(5)
  for (let bit = 0; bit < 128; bit++) {
    const other = Buffer.from(bytes)
    other[bit >> 3] = other[bit >> 3]! ^ (1 << (bit & 7))
    expect(uuidAt(bytes, 0)).toBe(bytes.toString('base64url'))
    expect(uuidAt(other, 0)).toBe(other.toString('base64url'))
    const written = Buffer.alloc(16)
    expect(writeUuid(written, 0, other.toString('base64url'))).toBe(true)
    expect(written.equals(other)).toBe(true)
  }
})

test('the zero id is read and written; what is no id, or has no room, is not written', () => {
  expect(uuidAt(Buffer.alloc(16), 0)).toBe(ZERO_UUID)
  const target = Buffer.alloc(16, 1)
  expect(writeUuid(target, 0, ZERO_UUID)).toBe(true)
  expect(target.equals(Buffer.alloc(16))).toBe(true)
  for (const text of ['', 'short', 'A'.repeat(23), '!'.repeat(22)]) expect(writeUuid(target, 0, text)).toBe(false)
  expect(writeUuid(Buffer.alloc(15), 0, ZERO_UUID)).toBe(false)
})
