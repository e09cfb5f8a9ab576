import { Metadata, status } from '@grpc/grpc-js'
import type { ServerDuplexStream } from '@grpc/grpc-js'
import type { Logger } from '@kavka/kernel'
import type { FollowerFrame, LeaderFrame, LeaderStream, LeaderStreamEvents } from '@kavka/replication'
import { CountedWriter } from '../counted-writer.ts'
import { WireDecodeError } from '../proto-runtime.ts'
import { whenClosed } from '../service-provider.ts'
import { outgoing } from './fetch-call.ts'
import type { OutgoingFrame } from './fetch-call.ts'
import { decodeFollowerFrame } from './frame-codec.ts'

/** What one follower may be sent ahead of its connection: with the window of the receiver, two to four of the largest frames are under way. */
export const LEADER_STREAM_UNSENT_BYTES_MAX = 4 * 1024 * 1024

/** The leader's end of one follower's stream. */
export class GrpcLeaderStream implements LeaderStream {
  readonly #call: ServerDuplexStream<Buffer, OutgoingFrame>
  readonly #logger: Logger
  readonly #writer: CountedWriter
  #events: LeaderStreamEvents | null = null
  #open = true

  constructor(call: ServerDuplexStream<Buffer, OutgoingFrame>, { logger }: { logger: Logger }) {
    this.#call = call
    this.#logger = logger
    const options = { unsentBytesMax: LEADER_STREAM_UNSENT_BYTES_MAX }
    this.#writer = new CountedWriter(options, { sink: call, onDrained: () => this.#drained() })
  }

  /** Tells the follower that it is welcome and passes on what it says. */
  start(events: LeaderStreamEvents): void {
    this.#events = events
    if (!this.#open) return events.closed()
    whenClosed(this.#call, () => this.#closed())
    this.#call.sendMetadata(new Metadata())
    this.#call.on('data', (bytes: Buffer) => this.#received(bytes))
  }

  send(frame: LeaderFrame): boolean {
    if (!this.#open) return false
    const message = outgoing(frame)
    this.#writer.write(message, message.bytes)
    return !this.#writer.full
  }

  close(reason: string): void {
    if (!this.#open) return
    this.#call.emit('error', { code: status.ABORTED, details: reason })
    this.#closed()
  }

  #received(bytes: Buffer): void {
    if (!this.#open) return
    const frame = this.#decode(bytes)
    if (frame === null) this.close('malformed frame')
    else this.#events?.frame(frame)
  }

  #decode(bytes: Buffer): FollowerFrame | null {
    try {
      return decodeFollowerFrame(bytes)
    } catch (error) {
      if (!(error instanceof WireDecodeError)) throw error
      this.#logger.warn({ peer: this.#call.getPeer(), reason: error.message }, 'Malformed frame from a follower')
      return null
    }
  }

  #drained(): void {
    if (this.#open) this.#events?.drained()
  }

  #closed(): void {
    if (!this.#open) return
    this.#open = false
    this.#events?.closed()
  }
}
