import { seededRandom } from '@kavka/kernel'
import type { Uuid } from '@kavka/protocol'
import { uuidToBytes } from '@kavka/protocol'
import { TOPIC_IDS_REMEMBERED_MAX, TopicIdMemo } from './topic-id-memo.ts'

function uuid(bytes: Buffer): Uuid {
  return bytes.toString('base64url') as Uuid
}

test('texts and bytes belong together, remembered or not, also of ids that begin alike', () => {
  const random = seededRandom(1)
  const memo = new TopicIdMemo()
  const ids = Array.from({ length: 50 }, (_, i) => Buffer.from(Array.from({ length: 16 }, (_byte, at) => (at < 4 ? i % 5 : random.below(256)))))
  for (let round = 0; round < 3; round++) {
    for (const bytes of ids) {
      const target = Buffer.alloc(20, 0xee)
      memo.write(target, 2, uuid(bytes))
      expect(target.toString('hex')).toBe(`eeee${bytes.toString('hex')}eeee`)
      expect(memo.read(target, 2)).toBe(uuid(bytes))
    }
  }
})

test('more ids than are remembered are no worse', () => {
  const memo = new TopicIdMemo()
  const bytes = Buffer.alloc(16, 9)
  for (let i = 0; i < TOPIC_IDS_REMEMBERED_MAX * 2 + 7; i++) {
    bytes.writeInt32BE(i, 0)
    const text = memo.read(bytes, 0)
    expect(i % 1000 === 0 ? uuidToBytes(text) : bytes).toEqual(bytes)
  }
})

test('what is no uuid never leaves', () => {
  expect(() => new TopicIdMemo().write(Buffer.alloc(16), 0, 'short' as Uuid)).toThrow('no uuid')
})
