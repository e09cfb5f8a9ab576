/** What generated protobuf codecs call, and the way in and out of them. */
import protobuf from 'protobufjs/minimal.js'
import type { Reader, Writer } from 'protobufjs'

/** Elements of one repeated field, above the records of the largest snapshot: keeps what hostile bytes can make us allocate in proportion. */
export const PROTO_ELEMENTS_MAX = 10_000_000

export const NO_BYTES: Uint8Array = new Uint8Array(0)

/** Malformed bytes from another node; whoever reads a stream breaks it. */
export class WireDecodeError extends Error {
  override readonly name = 'WireDecodeError'
}

/** Runs a generated encoder. */
export function encodeProto<T>(encode: (message: T, writer: Writer) => Writer, message: T): Buffer {
  return encode(message, protobuf.Writer.create()).finish() as Buffer
}

/** Runs a generated decoder over all of `bytes`; throws WireDecodeError, and nothing else, whatever the bytes are. */
export function decodeProto<T>(decode: (reader: Reader, end: number) => T, bytes: Uint8Array): T {
  try {
    const reader = protobuf.Reader.create(bytes)
    return decode(reader, reader.len)
  } catch (error) {
    if (error instanceof WireDecodeError) throw error
    throw new WireDecodeError(error instanceof Error ? error.message : String(error))
  }
}

/** An int64 as a number; offsets, epochs and times never leave the safe range. */
export function safeInteger(value: number | object): number {
  const number = typeof value === 'number' ? value : (value as { toNumber(): number }).toNumber()
  if (!Number.isSafeInteger(number)) throw new WireDecodeError(`integer ${number} out of range`)
  return number
}

export function enumLabel<L extends string>(labels: ReadonlyMap<number, L>, value: number, name: string): L {
  const label = labels.get(value)
  if (label === undefined) throw new WireDecodeError(`${name} has no value ${value}`)
  return label
}

export function required<T>(value: T | null, name: string): T {
  if (value === null) throw new WireDecodeError(`${name} is missing`)
  return value
}

/** Passes a list or map through as long as it may grow. */
export function roomFor<T extends { readonly length: number } | { readonly size: number }>(collection: T): T {
  const count = 'length' in collection ? collection.length : collection.size
  if (count >= PROTO_ELEMENTS_MAX) throw new WireDecodeError('too many elements')
  return collection
}

/** A nested message that ends elsewhere than its length says is malformed. */
export function exactEnd(reader: Reader, end: number): void {
  if (reader.pos !== end) throw new WireDecodeError('a field reaches over the end of its message')
}
