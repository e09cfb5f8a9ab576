/**
 * Messages that are stored or embedded instead of sent: coordinator records (int16 type before the key, int16
 * version
 * before the value), what clients put into group metadata (int16 version), records of the metadata log (three
 * varints).
 */
import { decodeBody } from './frames.ts'
import { DecodeError } from './wire/errors.ts'
import type { Encodable, MessageCodec } from './wire/codec.ts'
import { Reader } from './wire/reader.ts'
import { Writer } from './wire/writer.ts'

const COORDINATOR_KEY_VERSION = 0
const METADATA_FRAME_VERSION = 1

/** A message alone. */
export function encodeMessage<T>(codec: MessageCodec<T>, value: Encodable<T>, version: number): Buffer {
  const writer = new Writer()
  codec.encode(writer, value, version)
  return writer.toBuffer()
}

/** Reads a message that fills `data`; throws DecodeError. */
export function decodeMessage<T>(codec: MessageCodec<T>, data: Buffer, version: number): T {
  return decodeBody(codec, new Reader(data), version)
}

/**
 * int16 version, message: values of coordinator records, subscriptions and assignments of consumers,
 * principals.
 */
export function encodeVersioned<T>(codec: MessageCodec<T>, value: Encodable<T>, version: number): Buffer {
  const writer = new Writer()
  writer.int16(version)
  codec.encode(writer, value, version)
  return writer.toBuffer()
}

/** Reads what `encodeVersioned` writes; throws DecodeError, also for a version that is not known. */
export function decodeVersioned<T>(codec: MessageCodec<T>, data: Buffer): T {
  const reader = versionedReader(codec, data)
  return decodeBody(codec, reader, reader.int16())
}

/**
 * As `decodeVersioned`, for what other programs wrote: a newer version is read as the newest one that is
 * known, and
 * bytes behind it are ignored. Consumers promise each other this of their subscriptions and assignments.
 */
export function decodeVersionedLeniently<T>(codec: MessageCodec<T>, data: Buffer): T {
  const reader = versionedReader(codec, data)
  return codec.decode(reader, Math.min(reader.int16(), codec.versions[1]))
}

function versionedReader(codec: MessageCodec<unknown>, data: Buffer): Reader {
  const reader = new Reader(data)
  reader.messageName = codec.name
  return reader
}

/** int16 record type, message: the key of a record in an internal topic. */
export function encodeCoordinatorKey<T>(codec: MessageCodec<T>, value: Encodable<T>): Buffer {
  const writer = new Writer()
  writer.int16(codec.apiKey)
  codec.encode(writer, value, COORDINATOR_KEY_VERSION)
  return writer.toBuffer()
}

/**
 * The record type of a coordinator key, by which the reader picks the codecs; types that are not known are
 * skipped.
 */
export function coordinatorKeyType(key: Buffer): number {
  if (key.length < 2)
    throw new DecodeError('key without a type', { message: 'coordinator record', offset: 0 })
  return key.readInt16BE(0)
}

/** Reads a key of the codec's type; throws DecodeError for one of another type. */
export function decodeCoordinatorKey<T>(codec: MessageCodec<T>, key: Buffer): T {
  const type = coordinatorKeyType(key)
  if (type !== codec.apiKey) throw new DecodeError(`type ${type}`, { message: codec.name, offset: 0 })
  return decodeBody(codec, new Reader(key, 2), COORDINATOR_KEY_VERSION)
}

/**
 * Frame version, type, version, message: a record of Kafka's metadata log, or of its remote log metadata
 * topic.
 */
export function encodeMetadataRecord<T>(
  codec: MessageCodec<T>,
  value: Encodable<T>,
  version: number,
): Buffer {
  const writer = new Writer()
  writer.unsignedVarint(METADATA_FRAME_VERSION)
  writer.unsignedVarint(codec.apiKey)
  writer.unsignedVarint(version)
  codec.encode(writer, value, version)
  return writer.toBuffer()
}

/** The head of a metadata record; `body` stands at the message. */
export interface MetadataRecordHead {
  readonly type: number
  readonly version: number
  readonly body: Reader
}

/** Reads the head of a metadata record; throws DecodeError for a frame version that is not known. */
export function readMetadataRecordHead(data: Buffer): MetadataRecordHead {
  const body = new Reader(data)
  body.messageName = 'metadata record'
  const frameVersion = body.unsignedVarint()
  if (frameVersion !== METADATA_FRAME_VERSION) body.fail(`frame version ${frameVersion}`)
  return { type: body.unsignedVarint(), version: body.unsignedVarint(), body }
}
