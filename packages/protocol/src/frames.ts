/**
 * Frames: int32 length, header, body. Request header 2 and response header 1 come with flexible versions;
 * ApiVersions answers in response header 0 always, so that a client can read it before it knows any version
 * (KIP-511).
 */
import { apis, ApiKey } from './apis.ts'
import type { ApiDescription } from './apis.ts'
import { requestHeaderCodec } from './gen/headers.ts'
import { responseHeaderCodec } from './gen/headers.ts'
import { DecodeError } from './wire/errors.ts'
import type { Encodable, MessageCodec } from './wire/codec.ts'
import { Reader } from './wire/reader.ts'
import type { UnknownTag } from './wire/unknown-tags.ts'
import { Writer } from './wire/writer.ts'

/** Bytes of the length before every frame; the length does not count itself. */
export const FRAME_LENGTH_BYTES = 4

/** The head of a request, and a reader that stands at its body. */
export interface RequestHead {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** Null and empty mean the same to Kafka; kept apart here. */
  readonly clientId: string | null
  readonly unknownTags?: readonly UnknownTag[]
  /** The row of the API table; null for a key that does not exist: the connection is closed. */
  readonly api: ApiDescription | null
  /**
   * Whether the version is one of the API's. When it is not, the body must not be read; ApiVersions alone is
   * answered then (version 0, UNSUPPORTED_VERSION), every other connection is closed.
   */
  readonly versionSupported: boolean
  readonly body: Reader
}

/** 1 or 2: the header that a request of this version has. */
export function requestHeaderVersion(api: ApiDescription, apiVersion: number): number {
  return isFlexible(api, apiVersion) ? 2 : 1
}

/** 0 or 1: the header that the answer to a request of this version has. */
export function responseHeaderVersion(api: ApiDescription, apiVersion: number): number {
  return api.key !== ApiKey.ApiVersions && isFlexible(api, apiVersion) ? 1 : 0
}

function isFlexible(api: ApiDescription, apiVersion: number): boolean {
  return api.flexibleFrom !== null && apiVersion >= api.flexibleFrom
}

/**
 * Reads the header of a request. `frame` is what follows the length. Throws DecodeError; an unknown API or
 * version is
 * no error here, because the fields before the client id stand at the same place in every header.
 */
export function decodeRequestHeader(frame: Buffer): RequestHead {
  const body = new Reader(frame)
  body.messageName = 'RequestHeader'
  if (frame.length < 8) body.fail('frame without a header')
  const apiKey = frame.readInt16BE(0)
  const apiVersion = frame.readInt16BE(2)
  const api = apis.get(apiKey) ?? null
  const versionSupported = api !== null && apiVersion >= api.versions[0] && apiVersion <= api.versions[1]
  const headerVersion = api === null ? 1 : requestHeaderVersion(api, apiVersion)
  const { correlationId, clientId, unknownTags } = requestHeaderCodec.decode(body, headerVersion)
  const head = { apiKey, apiVersion, correlationId, clientId, api, versionSupported, body }
  return unknownTags === undefined ? head : { ...head, unknownTags }
}

/** Reads a body that must fill the rest of the frame; throws DecodeError, also for bytes left over. */
export function decodeBody<T>(codec: MessageCodec<T>, body: Reader, version: number): T {
  const message = codec.decode(body, version)
  if (body.remaining > 0) body.fail(`${body.remaining} bytes after the end`)
  return message
}

/** What a request frame is made of. */
export interface RequestToEncode<T> {
  readonly codec: MessageCodec<T>
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly request: Encodable<T>
  readonly unknownHeaderTags?: readonly UnknownTag[]
}

/** A complete request frame, its length first, as pieces for a vectored write. */
export function encodeRequestFrame<T>(options: RequestToEncode<T>): Buffer[] {
  const { codec, apiVersion, correlationId, clientId, request, unknownHeaderTags } = options
  const flexible = codec.flexibleFrom !== null && apiVersion >= codec.flexibleFrom
  const header = { requestApiKey: codec.apiKey, requestApiVersion: apiVersion, correlationId, clientId }
  const tagged = unknownHeaderTags === undefined ? header : { ...header, unknownTags: unknownHeaderTags }
  const writer = new Writer()
  writer.int32(0)
  requestHeaderCodec.encode(writer, tagged, flexible ? 2 : 1)
  codec.encode(writer, request, apiVersion)
  return finishFrame(writer)
}

/** What a response frame is made of. */
export interface ResponseToEncode<T> {
  readonly codec: MessageCodec<T>
  readonly apiVersion: number
  readonly correlationId: number
  readonly response: Encodable<T>
  readonly unknownHeaderTags?: readonly UnknownTag[]
}

/**
 * A complete response frame, its length first; large byte fields (records) are passed through by reference.
 */
export function encodeResponseFrame<T>(options: ResponseToEncode<T>): Buffer[] {
  const { codec, apiVersion, correlationId, response, unknownHeaderTags } = options
  const flexible = codec.flexibleFrom !== null && apiVersion >= codec.flexibleFrom
  const headerVersion = flexible && codec.apiKey !== ApiKey.ApiVersions ? 1 : 0
  const header =
    unknownHeaderTags === undefined ? { correlationId } : { correlationId, unknownTags: unknownHeaderTags }
  const writer = new Writer()
  writer.int32(0)
  responseHeaderCodec.encode(writer, header, headerVersion)
  codec.encode(writer, response, apiVersion)
  return finishFrame(writer)
}

function finishFrame(writer: Writer): Buffer[] {
  writer.patchInt32(0, writer.size - FRAME_LENGTH_BYTES)
  return writer.toBuffers()
}

/** A response as a client reads it. */
export interface DecodedResponse<T> {
  readonly correlationId: number
  readonly response: T
  readonly unknownTags?: readonly UnknownTag[]
}

/**
 * Reads a response whose API and version the asker remembers. `frame` is what follows the length, or a reader
 * on
 * it. An ApiVersions answer that says UNSUPPORTED_VERSION stands in version 0, whatever was asked.
 */
export function decodeResponse<T>(
  codec: MessageCodec<T>,
  apiVersion: number,
  frame: Buffer | Reader,
): DecodedResponse<T> {
  const reader = Buffer.isBuffer(frame) ? new Reader(frame) : frame
  const flexible = codec.flexibleFrom !== null && apiVersion >= codec.flexibleFrom
  const isApiVersions = codec.apiKey === ApiKey.ApiVersions
  const { correlationId, unknownTags } = responseHeaderCodec.decode(
    reader,
    flexible && !isApiVersions ? 1 : 0,
  )
  const response = decodeBody(
    codec,
    reader,
    isApiVersions ? apiVersionsVersion(reader, apiVersion) : apiVersion,
  )
  return unknownTags === undefined ? { correlationId, response } : { correlationId, response, unknownTags }
}

const UNSUPPORTED_VERSION = 35

function apiVersionsVersion(reader: Reader, asked: number): number {
  if (reader.remaining < 2)
    throw new DecodeError('empty', { message: 'ApiVersionsResponse', offset: reader.offset })
  return reader.buffer.readInt16BE(reader.offset) === UNSUPPORTED_VERSION ? 0 : asked
}
