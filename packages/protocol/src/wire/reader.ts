import { DecodeError } from './errors.ts'
import type { Uuid } from '../ids.ts'
import type { NativeText } from './native-text.ts'
import { uuidAt } from './uuid.ts'
import { UNKNOWN_TAGS_MAX, UNKNOWN_TAG_BYTES_MAX } from './unknown-tags.ts'
import type { UnknownTag } from './unknown-tags.ts'

/**
 * Array elements that one reader hands out in all; keeps objects made from a frame in proportion to any sane
 * use of it.
 */
export const READER_ELEMENTS_MAX = 4_000_000

const STRING_BYTES_MAX = 0x7fff
const SAFE_HIGH_MIN = -0x200000
const SAFE_HIGH_MAX = 0x1fffff

/**
 * Reads Kafka's primitive types from a buffer. Everything is bounds-checked; the only error is DecodeError.
 * Byte fields come out as subarrays of the input (no copy), so a decoded message keeps its frame alive.
 */
export class Reader {
  readonly buffer: Buffer
  readonly end: number
  /** Next byte to read. */
  offset: number
  /** Named in errors; set by each codec as it starts. */
  messageName = 'frame'
  #elementsLeft = READER_ELEMENTS_MAX

  constructor(buffer: Buffer, offset = 0, end = buffer.length) {
    this.buffer = buffer
    this.offset = offset
    this.end = end
  }

  get remaining(): number {
    return this.end - this.offset
  }

  /** Throws the DecodeError for `reason` at the current position. */
  fail(reason: string): never {
    throw new DecodeError(reason, { message: this.messageName, offset: this.offset })
  }

  /** Moves past `size` bytes and returns where they start. */
  take(size: number): number {
    const at = this.offset
    if (size > this.end - at) this.fail(`${size} bytes wanted, ${this.end - at} left`)
    this.offset = at + size
    return at
  }

  bool(): boolean {
    return this.buffer[this.take(1)] !== 0
  }

  int8(): number {
    return (this.buffer[this.take(1)]! << 24) >> 24
  }

  uint8(): number {
    return this.buffer[this.take(1)]!
  }

  int16(): number {
    const at = this.take(2)
    return ((this.buffer[at]! << 24) >> 16) | this.buffer[at + 1]!
  }

  uint16(): number {
    const at = this.take(2)
    return (this.buffer[at]! << 8) | this.buffer[at + 1]!
  }

  int32(): number {
    const at = this.take(4)
    const b = this.buffer
    return (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /** A safe integer; ExactReader returns a bigint (cast) for the others, this one refuses them. */
  int64(): number {
    const high = this.int32()
    const low = this.int32() >>> 0
    if (high < SAFE_HIGH_MIN || high > SAFE_HIGH_MAX || (high === SAFE_HIGH_MIN && low === 0)) {
      return this.unsafeInt64(high, low)
    }
    return high * 0x1_0000_0000 + low
  }

  protected unsafeInt64(_high: number, _low: number): number {
    return this.fail('int64 beyond the safe integers')
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8))
  }

  uuid(): Uuid {
    return uuidAt(this.buffer, this.take(16))
  }

  /**
   * Little-endian base 128. As Kafka: overlong forms up to five bytes pass and bits above 32 are dropped
   * (the result is a uint32); a fifth byte with its continuation bit is an error.
   */
  unsignedVarint(): number {
    const b = this.buffer
    let byte = b[this.take(1)]!
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    for (let shift = 7; shift <= 28; shift += 7) {
      byte = b[this.take(1)]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    return this.fail('varint longer than 5 bytes')
  }

  /** Zigzag varint of 32 bits. */
  varint(): number {
    const raw = this.unsignedVarint()
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** Zigzag varint of 64 bits, up to ten bytes; unsafe values as int64. */
  varlong(): number {
    let low = 0
    let middle = 0
    let high = 0
    for (let index = 0; index < 10; index++) {
      const byte = this.buffer[this.take(1)]!
      const bits = byte & 0x7f
      if (index < 4) low |= bits << (7 * index)
      else if (index < 8) middle |= bits << (7 * (index - 4))
      else high |= bits << (7 * (index - 8))
      if (byte < 0x80) return this.#zigzag64(low, middle, high)
    }
    return this.fail('varlong longer than 10 bytes')
  }

  /** `low` and `middle` hold 28 bits each, `high` the 8 above them. */
  #zigzag64(low: number, middle: number, high: number): number {
    const word0 = (low | (middle << 28)) >>> 0
    const word1 = ((middle >>> 4) | (high << 24)) >>> 0
    const sign = -(word0 & 1)
    const shifted0 = ((word0 >>> 1) | (word1 << 31)) ^ sign
    const shifted1 = (word1 >>> 1) ^ sign
    if (
      shifted1 < SAFE_HIGH_MIN ||
      shifted1 > SAFE_HIGH_MAX ||
      (shifted1 === SAFE_HIGH_MIN && shifted0 === 0)
    ) {
      return this.unsafeInt64(shifted1, shifted0 >>> 0)
    }
    return shifted1 * 0x1_0000_0000 + (shifted0 >>> 0)
  }

  string(): string {
    return this.#text(this.#present(this.int16()))
  }

  nullableString(): string | null {
    const length = this.int16()
    return length === -1 ? null : this.#text(length)
  }

  compactString(): string {
    return this.#text(this.#present(this.unsignedVarint() - 1))
  }

  compactNullableString(): string | null {
    const length = this.unsignedVarint() - 1
    return length === -1 ? null : this.#text(length)
  }

  #present(length: number): number {
    return length === -1 ? this.fail('null where a value must be') : length
  }

  #text(length: number): string {
    if (length < 0 || length > STRING_BYTES_MAX) this.fail(`string of ${length} bytes`)
    if (length === 0) return ''
    const at = this.take(length)
    return (this.buffer as Buffer & NativeText).utf8Slice(at, at + length)
  }

  bytes(): Buffer {
    return this.#slice(this.#present(this.int32()))
  }

  nullableBytes(): Buffer | null {
    const length = this.int32()
    return length === -1 ? null : this.#slice(length)
  }

  compactBytes(): Buffer {
    return this.#slice(this.#present(this.unsignedVarint() - 1))
  }

  compactNullableBytes(): Buffer | null {
    const length = this.unsignedVarint() - 1
    return length === -1 ? null : this.#slice(length)
  }

  #slice(length: number): Buffer {
    if (length < 0) this.fail(`byte field of ${length} bytes`)
    const at = this.take(length)
    return this.buffer.subarray(at, at + length)
  }

  /**
   * Count of an array whose elements take at least `elementBytesMin` each; checked before anything is
   * allocated.
   */
  arrayCount(elementBytesMin: number): number {
    return this.#count(this.#present(this.int32()), elementBytesMin)
  }

  /** -1 stands for null. */
  nullableArrayCount(elementBytesMin: number): number {
    const count = this.int32()
    return count === -1 ? -1 : this.#count(count, elementBytesMin)
  }

  compactArrayCount(elementBytesMin: number): number {
    return this.#count(this.#present(this.unsignedVarint() - 1), elementBytesMin)
  }

  /** -1 stands for null. */
  compactNullableArrayCount(elementBytesMin: number): number {
    const count = this.unsignedVarint() - 1
    return count === -1 ? -1 : this.#count(count, elementBytesMin)
  }

  /**
   * Elements without bytes are counted as one byte each, Kafka's own rule, so that the count stays bounded by
   * the input.
   */
  #count(count: number, elementBytesMin: number): number {
    const bytesMin = count * (elementBytesMin > 0 ? elementBytesMin : 1)
    if (count < 0 || bytesMin > this.end - this.offset) this.fail(`array of ${count} elements`)
    this.#elementsLeft -= count
    if (this.#elementsLeft < 0) this.fail(`more than ${READER_ELEMENTS_MAX} array elements`)
    return count
  }

  int8s(count: number): number[] {
    const list: number[] = []
    for (let i = 0; i < count; i++) list.push(this.int8())
    return list
  }

  int16s(count: number): number[] {
    const list: number[] = []
    for (let i = 0; i < count; i++) list.push(this.int16())
    return list
  }

  int32s(count: number): number[] {
    const list: number[] = []
    for (let i = 0; i < count; i++) list.push(this.int32())
    return list
  }

  int64s(count: number): number[] {
    const list: number[] = []
    for (let i = 0; i < count; i++) list.push(this.int64())
    return list
  }

  uuids(count: number): Uuid[] {
    const list: Uuid[] = []
    for (let i = 0; i < count; i++) list.push(this.uuid())
    return list
  }

  strings(count: number): string[] {
    const list: string[] = []
    for (let i = 0; i < count; i++) list.push(this.string())
    return list
  }

  compactStrings(count: number): string[] {
    const list: string[] = []
    for (let i = 0; i < count; i++) list.push(this.compactString())
    return list
  }

  /** Reads the size of a tagged field and returns where its data ends. */
  tagEnd(): number {
    const size = this.unsignedVarint()
    if (size > this.end - this.offset) this.fail(`tagged field of ${size} bytes`)
    return this.offset + size
  }

  /** A known tagged field must fill its declared size. */
  finishTag(end: number): void {
    if (this.offset !== end) this.fail(`tagged field ends at byte ${end}`)
  }

  /** Collects the tagged field that ends at `end`; the list is made on the first one and stays ascending. */
  unknownTag(tags: UnknownTag[] | undefined, tag: number, end: number): UnknownTag[] {
    const list = tags ?? []
    const data = this.#slice(end - this.offset)
    if (list.length >= UNKNOWN_TAGS_MAX) this.fail('too many unknown tagged fields')
    if (list.reduce((sum, one) => sum + one.data.length, data.length) > UNKNOWN_TAG_BYTES_MAX) {
      this.fail('too many bytes of unknown tagged fields')
    }
    let at = list.length
    while (at > 0 && list[at - 1]!.tag > tag) at--
    if (at > 0 && list[at - 1]!.tag === tag) this.fail(`tag ${tag} twice`)
    list.splice(at, 0, { tag, data })
    return list
  }

  /** The tag section of a struct that has no tagged fields of its own in this version. */
  unknownTags(): UnknownTag[] | undefined {
    let tags: UnknownTag[] | undefined
    for (let count = this.unsignedVarint(); count > 0; count--) {
      const tag = this.unsignedVarint()
      tags = this.unknownTag(tags, tag, this.tagEnd())
    }
    return tags
  }
}
