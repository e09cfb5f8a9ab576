import { ZERO_UUID } from '../ids.ts'
import type { Uuid } from '../ids.ts'
import { DecodeError } from './errors.ts'

/** The topic id of `__cluster_metadata`. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid

const UUID_BYTES = 16
const UUID_TEXT = /^[A-Za-z0-9_-]{22}(?:==)?$/

/** Reads 16 bytes as 22 characters of base64url. The zero id, by far the most frequent, is not built anew. */
export function uuidAt(buffer: Buffer, at: number): Uuid {
  for (let i = at; i < at + UUID_BYTES; i++) {
    if (buffer[i] !== 0) return buffer.toString('base64url', at, at + UUID_BYTES) as Uuid
  }
  return ZERO_UUID
}

/** Writes the 16 bytes of `uuid` at `at`; false when the text is not a uuid. */
export function writeUuid(buffer: Buffer, at: number, uuid: string): boolean {
  if (uuid === ZERO_UUID) {
    buffer.fill(0, at, at + UUID_BYTES)
    return true
  }
  return uuid.length === 22 && buffer.write(uuid, at, UUID_BYTES, 'base64url') === UUID_BYTES
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
