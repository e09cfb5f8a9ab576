import { ZERO_UUID } from '../ids.ts'
import type { Uuid } from '../ids.ts'
import { DecodeError } from './errors.ts'

/** The topic id of `__cluster_metadata`. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid

const UUID_BYTES = 16
const TEXT_LENGTH = 22
const UUID_TEXT = /^[A-Za-z0-9_-]{22}(?:==)?$/

/**
 * Ids that were read or written lately, each where some of its own bits say, until another one takes the place: the same few topics are
 * named in every request, and base64 costs twenty times as much as a comparison.
 */
const SLOTS = 256
const WORDS = 4
const wordsRead = new Int32Array(SLOTS * WORDS)
const textsRead: Uuid[] = Array.from({ length: SLOTS }, () => ZERO_UUID)
const wordsWritten = new Int32Array(SLOTS * WORDS)
const textsWritten: string[] = Array.from({ length: SLOTS }, () => ZERO_UUID)

/** Reads 16 bytes as 22 characters of base64url. */
export function uuidAt(buffer: Buffer, at: number): Uuid {
  const word0 = buffer.readInt32BE(at)
  const word1 = buffer.readInt32BE(at + 4)
  const word2 = buffer.readInt32BE(at + 8)
  const word3 = buffer.readInt32BE(at + 12)
  const slot = (word0 ^ word3) & (SLOTS - 1)
  const words = slot * WORDS
  const isKnown = wordsRead[words] === word0 && wordsRead[words + 1] === word1 && wordsRead[words + 2] === word2 && wordsRead[words + 3] === word3
  if (isKnown) return textsRead[slot]!
  const text = buffer.toString('base64url', at, at + UUID_BYTES) as Uuid
  textsRead[slot] = text
  wordsRead[words] = word0
  wordsRead[words + 1] = word1
  wordsRead[words + 2] = word2
  wordsRead[words + 3] = word3
  return text
}

/** Writes the 16 bytes of `uuid` at `at`; false when the text is not a uuid. */
export function writeUuid(buffer: Buffer, at: number, uuid: string): boolean {
  if (uuid.length !== TEXT_LENGTH || at + UUID_BYTES > buffer.length) return false
  const slot = (uuid.charCodeAt(TEXT_LENGTH - 4) * 4 + uuid.charCodeAt(TEXT_LENGTH - 3)) & (SLOTS - 1)
  const words = slot * WORDS
  if (textsWritten[slot] === uuid) {
    for (let i = 0; i < WORDS; i++) buffer.writeInt32BE(wordsWritten[words + i]!, at + 4 * i)
    return true
  }
  if (buffer.write(uuid, at, UUID_BYTES, 'base64url') !== UUID_BYTES) return false
  textsWritten[slot] = uuid
  for (let i = 0; i < WORDS; i++) wordsWritten[words + i] = buffer.readInt32BE(at + 4 * i)
  return true
}

/** 16 bytes → text. */
export function uuidFromBytes(bytes: Buffer): Uuid {
  if (bytes.length !== UUID_BYTES) throw new DecodeError('not 16 bytes', { message: 'uuid', offset: 0 })
  return uuidAt(bytes, 0)
}

/** Text → 16 bytes; throws DecodeError where `parseUuid` would. */
export function uuidToBytes(uuid: Uuid): Buffer {
  const bytes = Buffer.alloc(UUID_BYTES)
  if (!writeUuid(bytes, 0, uuid)) throw new DecodeError('not a uuid', { message: 'uuid', offset: 0 })
  return bytes
}

/**
 * Canonical uuid of a text someone typed: padding is tolerated and stray low bits are cleared, as Kafka does;
 * null when it is not one.
 */
export function parseUuid(text: string): Uuid | null {
  if (!UUID_TEXT.test(text)) return null
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length === UUID_BYTES ? uuidAt(bytes, 0) : null
}

/** The zero id and the id of the metadata topic (…01), which are never given to anything new. */
export function isReservedUuid(uuid: Uuid): boolean {
  return uuid === ZERO_UUID || uuid === METADATA_TOPIC_ID
}
