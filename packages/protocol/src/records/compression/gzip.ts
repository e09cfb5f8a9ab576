import { failure, success } from '@kavka/kernel'
import { crc32, gunzipSync, gzipSync, inflateRawSync } from 'node:zlib'
import { undecodable } from '../record-fault.ts'
import type { Decompressed, DecompressOptions } from './codec.ts'
import { zlibOutcome } from './zlib-outcome.ts'
import type { WithEngine } from './zlib-outcome.ts'

const TRAILER_BYTES = 8

/** `level` 1 to 9, -1 for zlib's default. */
export function gzipCompress(data: Buffer, level = -1): Buffer {
  return gzipSync(data, { level })
}

/**
 * Bytes after the end of the stream are ignored, as Kafka does. Node tolerates only some of them, so what it
 * refuses
 * is tried once more member by hand.
 */
export function gzipDecompress(data: Buffer, options: DecompressOptions): Decompressed {
  const maxOutputLength = options.decompressedBytesMax
  const whole = zlibOutcome('gzip', () => gunzipSync(data, { maxOutputLength }))
  if (whole.ok || whole.error.kind === 'too-large') return whole
  const member = firstMember(data, maxOutputLength)
  return member.ok ? member : whole
}

function firstMember(data: Buffer, maxOutputLength: number): Decompressed {
  const start = headerBytes(data)
  if (start === null) return failure(undecodable('Not in GZIP format'))
  let end = start
  const plain = zlibOutcome('gzip', () => {
    const result = inflateRawSync(data.subarray(start), {
      maxOutputLength,
      info: true,
    }) as unknown as WithEngine
    end += result.engine.bytesWritten
    return result.buffer
  })
  if (!plain.ok) return plain
  if (data.length - end < TRAILER_BYTES) return failure(undecodable('GZIP trailer is cut off'))
  const sound =
    data.readUInt32LE(end) === crc32(plain.value) &&
    data.readUInt32LE(end + 4) === plain.value.length % 2 ** 32
  return sound ? success(plain.value) : failure(undecodable('Corrupt GZIP trailer'))
}

/** Length of a member's header (RFC 1952 §2.3); null when it is none. */
function headerBytes(data: Buffer): number | null {
  if (data.length < 10 || data[0] !== 0x1f || data[1] !== 0x8b || data[2] !== 8) return null
  const flags = data[3]!
  let at = 10
  if ((flags & 0x04) !== 0) at += data.length < at + 2 ? data.length : 2 + data.readUInt16LE(at)
  if ((flags & 0x08) !== 0) at = afterZero(data, at)
  if ((flags & 0x10) !== 0) at = afterZero(data, at)
  if ((flags & 0x02) !== 0) at += 2
  return at <= data.length ? at : null
}

function afterZero(data: Buffer, from: number): number {
  const zero = data.indexOf(0, from)
  return zero < 0 ? data.length + 1 : zero + 1
}
