import { EncodeError } from './errors.ts'
import type { NativeText } from './native-text.ts'
import type { UnknownTag } from './unknown-tags.ts'
import { writeUuid } from './uuid.ts'

/** Byte fields from this size on are passed through by reference instead of being copied. */
const REFERENCE_BYTES_MIN = 1024
const STRING_BYTES_MAX = 0x7fff
const INITIAL_BYTES = 1024
const TWO_32 = 0x1_0000_0000

/** What a byte field may be given as: one piece, or pieces that stand one after the other. */
export type Bytes = Buffer | readonly Buffer[]

interface Splice {
  readonly at: number
  readonly chunk: Buffer
}

/**
 * Collects Kafka's primitive types into one growing buffer; large byte fields are not copied but spliced in
 * by
 * reference when the result is taken, so that record bytes go from the log to the socket untouched.
 */
export class Writer {
  /** Named in errors; set by each codec as it starts. */
  messageName = 'frame'
  #buffer: Buffer
  #position = 0
  #splices: Splice[] = []
  #spliceBytes = 0
  #openTags = 0

  constructor(initialBytes = INITIAL_BYTES) {
    this.#buffer = Buffer.allocUnsafe(initialBytes)
  }

  /** Bytes written so far, spliced ones included. */
  get size(): number {
    return this.#position + this.#spliceBytes
  }

  /** The pieces in order, for a vectored write. The writer must not be used afterwards. */
  toBuffers(): Buffer[] {
    const pieces: Buffer[] = []
    let from = 0
    for (const { at, chunk } of this.#splices) {
      if (at > from) pieces.push(this.#buffer.subarray(from, at))
      pieces.push(chunk)
      from = at
    }
    if (this.#position > from) pieces.push(this.#buffer.subarray(from, this.#position))
    return pieces
  }

  /** Everything as one buffer; copies only where something was spliced. */
  toBuffer(): Buffer {
    if (this.#splices.length === 0) return this.#buffer.subarray(0, this.#position)
    return Buffer.concat(this.toBuffers(), this.size)
  }

  /** Overwrites the int32 at `at`, a position before any splice: the length of a frame, known at its end. */
  patchInt32(at: number, value: number): void {
    this.#buffer.writeInt32BE(value, at)
  }

  fail(reason: string): never {
    throw new EncodeError(`${this.messageName}: ${reason}`)
  }

  /** A value that differs from its default but does not exist in the version that is written. */
  lacks(field: string, version: number): never {
    this.fail(`${field} cannot be written in version ${version}`)
  }

  nullNotAllowed(field: string, version: number): never {
    this.fail(`${field} is null, which version ${version} does not allow`)
  }

  #reserve(size: number): number {
    const at = this.#position
    if (at + size > this.#buffer.length) this.#grow(at + size)
    this.#position = at + size
    return at
  }

  #grow(needed: number): void {
    const bigger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(bigger, 0, 0, this.#position)
    this.#buffer = bigger
  }

  #outOfRange(type: string, value: unknown): never {
    this.fail(`${String(value)} is no ${type}`)
  }

  bool(value: boolean): void {
    const at = this.#reserve(1)
    this.#buffer[at] = value ? 1 : 0
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) this.#outOfRange('int8', value)
    const at = this.#reserve(1)
    this.#buffer[at] = value
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) this.#outOfRange('int16', value)
    const at = this.#reserve(2)
    this.#buffer[at] = value >> 8
    this.#buffer[at + 1] = value
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) this.#outOfRange('uint16', value)
    const at = this.#reserve(2)
    this.#buffer[at] = value >> 8
    this.#buffer[at + 1] = value
  }

  int32(value: number): void {
    if ((value | 0) !== value) this.#outOfRange('int32', value)
    this.#word(value)
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) this.#outOfRange('uint32', value)
    this.#word(value | 0)
  }

  #word(value: number): void {
    const at = this.#reserve(4)
    const b = this.#buffer
    b[at] = value >> 24
    b[at + 1] = value >> 16
    b[at + 2] = value >> 8
    b[at + 3] = value
  }

  /** A safe integer, or at run time a bigint as ExactReader returns it. */
  int64(value: number): void {
    if (!Number.isSafeInteger(value)) return this.#bigInt64(value)
    const high = Math.floor(value / TWO_32)
    this.#word(high)
    this.#word((value - high * TWO_32) | 0)
  }

  #bigInt64(value: unknown): void {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value)
      return this.#outOfRange('int64', value)
    const at = this.#reserve(8)
    this.#buffer.writeBigInt64BE(value, at)
  }

  float64(value: number): void {
    const at = this.#reserve(8)
    this.#buffer.writeDoubleBE(value, at)
  }

  uuid(value: string): void {
    const at = this.#reserve(16)
    if (!writeUuid(this.#buffer, at, value)) this.#outOfRange('uuid', value)
  }

  unsignedVarint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      const at = this.#reserve(1)
      this.#buffer[at] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    const at = this.#reserve(1)
    this.#buffer[at] = rest
  }

  /** Zigzag varint of 32 bits. */
  varint(value: number): void {
    this.unsignedVarint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  /** Zigzag varint of 64 bits; a bigint at run time is taken too. */
  varlong(value: number): void {
    if (typeof value === 'number' && value >= -0x4000_0000 && value < 0x4000_0000) return this.varint(value)
    const exact = BigInt(value)
    let rest = BigInt.asUintN(64, (exact << 1n) ^ (exact >> 63n))
    while (rest > 0x7fn) {
      const at = this.#reserve(1)
      this.#buffer[at] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    const at = this.#reserve(1)
    this.#buffer[at] = Number(rest)
  }

  string(value: string | null): void {
    if (value === null) this.fail('a string is null where a value must be')
    const size = this.#textBytes(value)
    this.int16(size)
    this.#text(value, size)
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1)
    else this.string(value)
  }

  compactString(value: string | null): void {
    if (value === null) this.fail('a string is null where a value must be')
    const size = this.#textBytes(value)
    this.unsignedVarint(size + 1)
    this.#text(value, size)
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.unsignedVarint(0)
    else this.compactString(value)
  }

  #textBytes(value: string): number {
    const size = Buffer.byteLength(value)
    if (size > STRING_BYTES_MAX) this.fail(`string of ${size} bytes`)
    return size
  }

  #text(value: string, size: number): void {
    if (size === 0) return
    const at = this.#reserve(size)
    const buffer = this.#buffer as Buffer & NativeText
    buffer.utf8Write(value, at, size)
  }

  bytes(value: Bytes | null): void {
    if (value === null) this.fail('bytes are null where a value must be')
    this.int32(bytesLength(value))
    this.#append(value)
  }

  nullableBytes(value: Bytes | null): void {
    if (value === null) this.int32(-1)
    else this.bytes(value)
  }

  compactBytes(value: Bytes | null): void {
    if (value === null) this.fail('bytes are null where a value must be')
    this.unsignedVarint(bytesLength(value) + 1)
    this.#append(value)
  }

  compactNullableBytes(value: Bytes | null): void {
    if (value === null) this.unsignedVarint(0)
    else this.compactBytes(value)
  }

  /** Bytes as they are, without a length before them. */
  raw(value: Bytes): void {
    this.#append(value)
  }

  #append(value: Bytes): void {
    if (Buffer.isBuffer(value)) return this.#appendChunk(value)
    for (const chunk of value) this.#appendChunk(chunk)
  }

  /** Inside a tagged field bytes are copied: its size prefix may still move what follows. */
  #appendChunk(chunk: Buffer): void {
    if (chunk.length >= REFERENCE_BYTES_MIN && this.#openTags === 0) {
      this.#splices.push({ at: this.#position, chunk })
      this.#spliceBytes += chunk.length
      return
    }
    const at = this.#reserve(chunk.length)
    chunk.copy(this.#buffer, at)
  }

  int8s(list: readonly number[]): void {
    for (const value of list) this.int8(value)
  }

  int16s(list: readonly number[]): void {
    for (const value of list) this.int16(value)
  }

  int32s(list: readonly number[]): void {
    for (const value of list) this.int32(value)
  }

  int64s(list: readonly number[]): void {
    for (const value of list) this.int64(value)
  }

  uuids(list: readonly string[]): void {
    for (const value of list) this.uuid(value)
  }

  strings(list: readonly string[]): void {
    for (const value of list) this.string(value)
  }

  compactStrings(list: readonly string[]): void {
    for (const value of list) this.compactString(value)
  }

  /** Starts a tagged field; hand the result to `endTag`. One byte is kept for the size, the usual case. */
  beginTag(tag: number): number {
    this.unsignedVarint(tag)
    this.#openTags++
    return this.#reserve(1) + 1
  }

  /**
   * Ends the tagged field whose data starts at `start`: writes its size, moving the data when that needs more
   * than a byte.
   */
  endTag(start: number): void {
    const size = this.#position - start
    this.#openTags--
    const extra = varintBytes(size) - 1
    if (extra > 0) {
      this.#reserve(extra)
      this.#buffer.copyWithin(start + extra, start, start + size)
    }
    const end = this.#position
    this.#position = start - 1
    this.unsignedVarint(size)
    this.#position = end
  }

  /** The tag section of a struct that has no tagged fields of its own in this version. */
  unknownTagsOnly(tags: readonly UnknownTag[] | undefined): void {
    if (tags === undefined) return this.unsignedVarint(0)
    this.unsignedVarint(tags.length)
    this.unknownTags(tags, 0, Number.MAX_SAFE_INTEGER)
  }

  /**
   * Writes the unknown tags from index `from` whose tag is below `below` and returns the index after them.
   */
  unknownTags(tags: readonly UnknownTag[], from: number, below: number): number {
    let index = from
    let previous = index === 0 ? -1 : tags[index - 1]!.tag
    for (; index < tags.length && tags[index]!.tag < below; index++) {
      const { tag, data } = tags[index]!
      if (tag <= previous) this.fail('unknown tagged fields are not ascending')
      this.unsignedVarint(tag)
      this.unsignedVarint(data.length)
      this.#appendChunk(data)
      previous = tag
    }
    if (index < tags.length && tags[index]!.tag === below) this.fail(`tag ${below} is not unknown`)
    return index
  }
}

function bytesLength(value: Bytes): number {
  if (Buffer.isBuffer(value)) return value.length
  let length = 0
  for (const chunk of value) length += chunk.length
  return length
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes++
  return bytes
}
