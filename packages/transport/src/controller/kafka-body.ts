/** Bodies of Kafka requests and responses as the payload of a gRPC message. */
import type { MessageCodec } from '@kavka/protocol'
import { DecodeError, Reader, Writer, apis } from '@kavka/protocol'
import { WireDecodeError } from '../proto-runtime.ts'

/** Throws EncodeError when the body does not fit the version: a bug of the caller. */
export function encodeRequestBody(apiKey: number, apiVersion: number, body: unknown): Buffer {
  return encodeBody(codecOf(apiKey, 'requestCodec'), apiVersion, body)
}

export function encodeResponseBody(apiKey: number, apiVersion: number, body: unknown): Buffer {
  return encodeBody(codecOf(apiKey, 'responseCodec'), apiVersion, body)
}

/** Throws WireDecodeError for an unknown API or version and for malformed bytes. */
export function decodeRequestBody(apiKey: number, apiVersion: number, payload: Uint8Array): unknown {
  return decodeBody(codecOf(apiKey, 'requestCodec'), apiVersion, payload)
}

export function decodeResponseBody(apiKey: number, apiVersion: number, payload: Uint8Array): unknown {
  return decodeBody(codecOf(apiKey, 'responseCodec'), apiVersion, payload)
}

function codecOf(apiKey: number, side: 'requestCodec' | 'responseCodec'): MessageCodec<unknown> {
  const api = apis.get(apiKey)
  if (api === undefined) throw new WireDecodeError(`unknown API ${apiKey}`)
  return api[side]
}

function encodeBody(codec: MessageCodec<unknown>, apiVersion: number, body: unknown): Buffer {
  const writer = new Writer()
  codec.encode(writer, body as never, apiVersion)
  return writer.toBuffer()
}

function decodeBody(codec: MessageCodec<unknown>, apiVersion: number, payload: Uint8Array): unknown {
  const reader = new Reader(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength))
  try {
    const body = codec.decode(reader, apiVersion)
    if (reader.remaining > 0) throw new WireDecodeError(`${reader.remaining} bytes left over after ${codec.name}`)
    return body
  } catch (error) {
    if (error instanceof DecodeError) throw new WireDecodeError(error.message)
    throw error
  }
}
