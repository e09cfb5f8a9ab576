/**
 * HPACK (RFC 7541) without a dynamic table, which the settings of our connections switch off for what the peer sends: a call has
 * two header blocks in its life. What is sent is plain literals, which every decoder must take.
 */
import { WireDecodeError } from '../proto-runtime.ts'
import { decodeHuffman } from './huffman.ts'

export type HeaderFields = ReadonlyMap<string, string>

/** RFC 7541 appendix A, from index 1 on; a value where it has one. */
const STATIC_TABLE = (
  ':authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|:status=206|' +
  ':status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|' +
  'access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|content-encoding|content-language|' +
  'content-length|content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|' +
  'if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|' +
  'referer|refresh|retry-after|server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate'
).split('|').map((entry): readonly [name: string, value: string] => {
  const equals = entry.indexOf('=')
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)]
})

const INTEGER_MAX = 2 ** 24

/** `fields` are ASCII. */
export function encodeHeaders(fields: HeaderFields): Buffer {
  const parts: Buffer[] = []
  for (const [name, value] of fields) parts.push(Buffer.from([0]), literal(name), literal(value))
  return Buffer.concat(parts)
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  return Buffer.concat([integer(bytes.length, 7), bytes])
}

function integer(value: number, prefixBits: number): Buffer {
  const prefixMax = 2 ** prefixBits - 1
  if (value < prefixMax) return Buffer.from([value])
  const bytes = [prefixMax]
  let rest = value - prefixMax
  for (; rest >= 128; rest >>>= 7) bytes.push(128 | (rest & 127))
  return Buffer.from([...bytes, rest])
}

/** A field that comes twice is joined by a comma. Throws WireDecodeError when `block` is malformed. */
export function decodeHeaders(block: Buffer): HeaderFields {
  const reader = new BlockReader(block)
  const fields = new Map<string, string>()
  while (!reader.isAtEnd) {
    const field = reader.field()
    if (field === null) continue
    const [name, value] = field
    const before = fields.get(name)
    fields.set(name, before === undefined ? value : `${before},${value}`)
  }
  return fields
}

class BlockReader {
  readonly #block: Buffer
  #at = 0

  constructor(block: Buffer) {
    this.#block = block
  }

  get isAtEnd(): boolean {
    return this.#at === this.#block.length
  }

  /** Null: not a field but a change of the table's size. */
  field(): readonly [name: string, value: string] | null {
    const first = this.#byte()
    if ((first & 0x80) !== 0) return entry(this.#integer(first, 7))
    if ((first & 0xe0) === 0x20) {
      if (this.#integer(first, 5) !== 0) throw new WireDecodeError('a dynamic header table was not offered')
      return null
    }
    // Literals: to be indexed, not indexed, never indexed; without a table all the same.
    const index = (first & 0xc0) === 0x40 ? this.#integer(first, 6) : this.#integer(first, 4)
    const name = index === 0 ? this.#string() : entry(index)[0]
    return [name, this.#string()]
  }

  #string(): string {
    const first = this.#byte()
    const length = this.#integer(first, 7)
    if (length > this.#block.length - this.#at) throw new WireDecodeError('header block is cut short')
    const bytes = this.#block.subarray(this.#at, this.#at + length)
    this.#at += length
    if ((first & 0x80) === 0) return bytes.toString('latin1')
    const text = decodeHuffman(bytes)
    if (text === null) throw new WireDecodeError('malformed header text')
    return text
  }

  #integer(first: number, prefixBits: number): number {
    const prefixMax = 2 ** prefixBits - 1
    let value = first & prefixMax
    if (value < prefixMax) return value
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (value > INTEGER_MAX) throw new WireDecodeError('header integer out of range')
      if (byte < 128) return value
    }
  }

  #byte(): number {
    const byte = this.#block[this.#at++]
    if (byte === undefined) throw new WireDecodeError('header block is cut short')
    return byte
  }
}

function entry(index: number): readonly [name: string, value: string] {
  const found = STATIC_TABLE[index - 1]
  if (found === undefined) throw new WireDecodeError(`no header entry ${index}`)
  return found
}
