/**
 * Whatever bytes arrive, decoding ends in a message or a DecodeError, and makes no more objects than the
 * bytes pay
 * for. Frames that Kafka wrote, of every API in every version, are bent at random places; `SEED=…` repeats a
 * run.
 */
import { seededRandom } from '@kavka/kernel'
import type { Random } from '@kavka/kernel'
import { decodeBody, DecodeError, decodeRequestHeader, decodeResponse } from '../index.ts'
import { goldenLines } from './load-golden.ts'
import { productCodecs } from './golden-message.ts'

interface Frame {
  readonly kind: 'request' | 'response'
  readonly message: string
  readonly version: number
  readonly hex: string
}

const MUTATIONS_A_FRAME = 200
const SEED = Number(process.env['SEED'] ?? 20_261_121)
/**
 * Every array element and every field of a struct without bytes is paid for by at least one byte of input.
 */
const VALUES_A_BYTE_MAX = 64

/** Lengths and counts that break careless readers. */
const EVIL_WORDS = [0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x00ffffff, 0x0000ffff, 0x00000000]

function mutated(frame: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(frame)
  const changes = 1 + random.below(3)
  for (let change = 0; change < changes; change++) mutateOnce(bytes, random)
  return random.unit() < 0.2 ? bytes.subarray(0, random.below(bytes.length)) : bytes
}

function mutateOnce(bytes: Buffer, random: Random): void {
  const at = random.below(bytes.length)
  const choice = random.unit()
  if (choice < 0.5) bytes[at] = random.below(256)
  else if (choice < 0.7) bytes[at] = bytes[at]! ^ (1 << random.below(8))
  else if (choice < 0.9 && at + 4 <= bytes.length)
    bytes.writeUInt32BE(EVIL_WORDS[random.below(EVIL_WORDS.length)]!, at)
  else bytes.fill(0xff, at, Math.min(at + 5, bytes.length))
}

/** Counts every value reachable from a decoded message. */
function valuesIn(value: unknown): number {
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return 1
  let count = 1
  for (const inner of Object.values(value)) count += valuesIn(inner)
  return count
}

function decodeFrame(frame: Frame, payload: Buffer): unknown {
  if (frame.kind === 'response')
    return decodeResponse(productCodecs.get(frame.message)!, frame.version, payload)
  const head = decodeRequestHeader(payload)
  return head.api === null || !head.versionSupported
    ? null
    : decodeBody(head.api.requestCodec, head.body, head.apiVersion)
}

test(`mutated frames decode or end in DecodeError (SEED=${SEED})`, () => {
  const random = seededRandom(SEED)
  let decoded = 0
  let refused = 0
  for (const frame of goldenLines<Frame>('frames.jsonl')) {
    const original = Buffer.from(frame.hex, 'hex').subarray(4)
    for (let round = 0; round < MUTATIONS_A_FRAME; round++) {
      const payload = mutated(original, random)
      try {
        const values = valuesIn(decodeFrame(frame, payload))
        decoded++
        if (values > (payload.length + 1) * VALUES_A_BYTE_MAX)
          throw new Error(`${values} values from ${payload.length} bytes`)
      } catch (error) {
        if (!(error instanceof DecodeError))
          throw new Error(`${frame.message} v${frame.version} ${payload.toString('hex')}`, { cause: error })
        refused++
      }
    }
  }
  expect(decoded).toBeGreaterThan(1000)
  expect(refused).toBeGreaterThan(1000)
})

test('every strict prefix of a frame is refused', () => {
  for (const frame of goldenLines<Frame>('frames.jsonl')) {
    const payload = Buffer.from(frame.hex, 'hex').subarray(4)
    for (let end = 0; end < payload.length; end += 1 + Math.floor(payload.length / 12)) {
      expect(() => decodeFrame(frame, payload.subarray(0, end))).toThrow(DecodeError)
    }
  }
})
