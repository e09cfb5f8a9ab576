import { DecodeError, EncodeError } from './errors.ts'
import type { Reader } from './reader.ts'
import type { UnknownTag } from './unknown-tags.ts'
import type { Bytes, Writer } from './writer.ts'

/** Not taken apart. */
type Leaf = UnknownTag | string | number | boolean | bigint | null | undefined

/**
 * What an encoder accepts for a `T`: every field may be left out and then has its default; byte fields may be
 * given in pieces. Handlers write only the fields that they mean.
 */
export type Encodable<T> = T extends Leaf
  ? T
  : T extends Buffer
    ? Bytes
    : T extends readonly (infer E)[]
      ? readonly Encodable<E>[]
      : { readonly [K in keyof T]?: Encodable<T[K]> | undefined }

/** Bytes ⇄ one message, in every version that Kafka still speaks. */
export interface MessageCodec<T> {
  readonly name: string
  /** API key of requests and responses, record type of metadata and coordinator records, -1 for the rest. */
  readonly apiKey: number
  /** First and last version. */
  readonly versions: readonly [number, number]
  /** First version with compact lengths and tagged fields (KIP-482); null when there is none. */
  readonly flexibleFrom: number | null
  /** Leaves the reader after the message; throws DecodeError, also for a version that does not exist. */
  decode(reader: Reader, version: number): T
  /** Throws EncodeError for a value that the version cannot carry, except in fields that may be ignored. */
  encode(writer: Writer, value: Encodable<T>, version: number): void
  /** A message with every field at its default. */
  defaults(): T
}

/** The generated parts of a codec. */
export interface CodecParts<T> {
  readonly name: string
  readonly apiKey: number
  readonly versions: readonly [number, number]
  readonly flexibleFrom: number | null
  readonly read: (reader: Reader, version: number) => T
  readonly write: (writer: Writer, value: Encodable<T>, version: number) => void
  readonly defaults: () => T
}

/** Puts the version check and the message's name in errors around generated functions. */
export function defineCodec<T>(parts: CodecParts<T>): MessageCodec<T> {
  const { name, apiKey, versions, flexibleFrom, read, write, defaults } = parts
  const [versionMin, versionMax] = versions
  return {
    name,
    apiKey,
    versions,
    flexibleFrom,
    defaults,
    decode(reader, version) {
      reader.messageName = name
      if (version < versionMin || version > versionMax) {
        throw new DecodeError(`no version ${version}`, { message: name, offset: reader.offset })
      }
      return read(reader, version)
    },
    encode(writer, value, version) {
      writer.messageName = name
      if (version < versionMin || version > versionMax)
        throw new EncodeError(`${name}: no version ${version}`)
      write(writer, value, version)
    },
  }
}
