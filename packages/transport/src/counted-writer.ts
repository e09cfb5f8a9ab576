import type { Writable } from 'node:stream'

/** The part of a gRPC stream that takes messages. */
export type MessageSink = Pick<Writable, 'write'>

export interface CountedWriterOptions {
  /** Unsent bytes at which the writer is full. */
  readonly unsentBytesMax: number
}

/**
 * Counts the bytes given to a gRPC stream that the connection has not taken yet: gRPC streams count messages, of which
 * sixteen may be sixteen bytes or sixteen megabytes.
 */
export class CountedWriter {
  readonly #sink: MessageSink
  readonly #unsentBytesMax: number
  readonly #onDrained: () => void
  #unsentBytes = 0
  #wasFull = false

  constructor(options: CountedWriterOptions, { sink, onDrained }: { sink: MessageSink; onDrained: () => void }) {
    this.#sink = sink
    this.#unsentBytesMax = options.unsentBytesMax
    this.#onDrained = onDrained
  }

  /** True when no more should be written until `onDrained`, which comes when half of the bound is free again. */
  get full(): boolean {
    return this.#unsentBytes >= this.#unsentBytesMax
  }

  get unsentBytes(): number {
    return this.#unsentBytes
  }

  /** `message` is what the stream's serializer takes, `bytes` its size on the wire. */
  write(message: unknown, bytes: number): void {
    this.#unsentBytes += bytes
    if (this.full) this.#wasFull = true
    this.#sink.write(message, () => this.#sent(bytes))
  }

  #sent(bytes: number): void {
    this.#unsentBytes -= bytes
    if (!this.#wasFull || this.#unsentBytes > this.#unsentBytesMax / 2) return
    this.#wasFull = false
    this.#onDrained()
  }
}
