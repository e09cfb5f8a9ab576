/** Recognizes, by the first four bytes of a connection, who else might have dialed a Kafka port. For log lines and for the switch to HTTP/2. */

export const SNIFF_BYTES = 4

const HTTP_METHODS = new Set(['GET ', 'POST', 'PUT ', 'HEAD', 'DELE', 'OPTI', 'PATC', 'CONN', 'TRAC'])
const TLS_HANDSHAKE_RECORD = 0x16
const TLS_MAJOR_VERSION = 0x03

/** The connection preface of HTTP/2 (RFC 9113 §3.4) starts with `PRI `, as a Kafka length 1.3 GB. */
export function isHttp2Preface(start: Uint8Array): boolean {
  return start[0] === 0x50 && start[1] === 0x52 && start[2] === 0x49 && start[3] === 0x20
}

/** A phrase that names the protocol, null when the bytes tell nothing. */
export function foreignProtocolOf(start: Uint8Array): string | null {
  if (start[0] === TLS_HANDSHAKE_RECORD && start[1] === TLS_MAJOR_VERSION) return 'a TLS handshake'
  if (isHttp2Preface(start)) return 'an HTTP/2 connection'
  const text = Buffer.from(start.subarray(0, SNIFF_BYTES)).toString('latin1')
  return HTTP_METHODS.has(text) ? 'an HTTP request' : null
}
