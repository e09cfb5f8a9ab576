/** A running 32-bit hash (FNV-1a) over everything that happens: the same seed must give the same value, bit for bit. */
export class EventHash {
  #value = 0x811c9dc5
  readonly #float = new Float64Array(1)
  readonly #words = new Uint32Array(this.#float.buffer)

  get value(): number {
    return this.#value >>> 0
  }

  number(value: number): void {
    this.#float[0] = value
    this.word(this.#words[0]!)
    this.word(this.#words[1]!)
  }

  /** A whole number below 2^32: half the work of `number`. */
  word(value: number): void {
    this.#value = Math.imul(this.#value ^ value, 0x01000193)
  }

  text(value: string): void {
    for (let i = 0; i < value.length; i++) this.word(value.charCodeAt(i))
  }
}

/** Of one text by itself, for what is hashed again and again. */
export function hashOf(text: string): number {
  const hash = new EventHash()
  hash.text(text)
  return hash.value
}
