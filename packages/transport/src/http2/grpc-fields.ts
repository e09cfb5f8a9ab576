/** The header fields of a gRPC call over HTTP/2 (grpc/doc/PROTOCOL-HTTP2.md). */
import { status } from '@grpc/grpc-js'
import type { NodeAddress } from '../node-address.ts'
import type { RefusedCall } from '../service-provider.ts'
import type { HeaderFields } from './header-block.ts'

const CONTENT_TYPE = 'application/grpc'

export function requestFields(path: string, { host, port }: NodeAddress): [name: string, value: string][] {
  return [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`],
    ['te', 'trailers'],
    ['content-type', CONTENT_TYPE],
  ]
}

export const RESPONSE_FIELDS: HeaderFields = new Map([[':status', '200'], ['content-type', CONTENT_TYPE]])

/** Trailers of a call that was answered. */
export function trailerFields({ code, details }: RefusedCall): [name: string, value: string][] {
  return [['grpc-status', String(code)], ['grpc-message', percentEncoded(details)]]
}

/** The status as people read it, null when the fields have none. */
export function statusText(fields: HeaderFields): string | null {
  const code = fields.get('grpc-status')
  if (code === undefined) {
    const http = fields.get(':status')
    return http === undefined || http === '200' ? null : `HTTP status ${http}`
  }
  return `${code} ${status[Number(code)] ?? 'unknown'}: ${percentDecoded(fields.get('grpc-message') ?? '')}`
}

/** Everything but printable ASCII, and the percent sign. */
function percentEncoded(text: string): string {
  return text.replace(/[^ -$&-~]+/gu, (part) => {
    let encoded = ''
    for (const byte of Buffer.from(part)) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    return encoded
  })
}

/** As much as can be decoded. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
