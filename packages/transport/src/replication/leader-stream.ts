import { status } from '@grpc/grpc-js'
import type { Logger } from '@kavka/kernel'
import type { FollowerFrame, LeaderFrame, LeaderStream, LeaderStreamEvents } from '@kavka/replication'
import type { CallSocket } from '../http2/call-socket.ts'
import { RESPONSE_FIELDS, trailerFields } from '../http2/grpc-fields.ts'
import { MESSAGE_HEAD_BYTES } from '../http2/message-sender.ts'
import { WireDecodeError } from '../proto-runtime.ts'
import { decodeFollowerFrame, encodeLeaderFrame } from './frame-codec.ts'

/** What one follower may be sent ahead of its connection: with the window of the receiver, two to four of the largest frames are under way. */
export const LEADER_STREAM_UNSENT_BYTES_MAX = 4 * 1024 * 1024

export interface LeaderStreamDeps {
  readonly call: CallSocket
  readonly logger: Logger
  /** Where the follower is, for log lines. */
  readonly peer: string
}

/** The leader's end of one follower's stream. Whoever owns the call passes on what happens to it. */
export class GrpcLeaderStream implements LeaderStream {
  readonly #deps: LeaderStreamDeps
  #events: LeaderStreamEvents | null = null

  constructor(deps: LeaderStreamDeps) {
    this.#deps = deps
  }

  /** Tells the follower that it is welcome and passes on what it says. */
  start(events: LeaderStreamEvents): void {
    this.#events = events
    if (this.#deps.call.isOpen) this.#deps.call.sendHeaders(RESPONSE_FIELDS)
    else events.closed()
  }

  send(frame: LeaderFrame): boolean {
    const { call } = this.#deps
    if (!call.isOpen) return false
    const { head, body, bodyBytes } = encodeLeaderFrame(frame, MESSAGE_HEAD_BYTES)
    call.send(head, body, bodyBytes)
    return !call.isFull
  }

  close(reason: string): void {
    const { call } = this.#deps
    if (!call.isOpen) return
    const trailers = trailerFields({ code: status.ABORTED, details: reason })
    // Refused before it began: then the trailers are all there is.
    call.finish(new Map(this.#events === null ? [...RESPONSE_FIELDS, ...trailers] : trailers))
    this.closed()
  }

  message(bytes: Buffer): void {
    const frame = this.#decode(bytes)
    if (frame === null) this.close('malformed frame')
    else this.#events?.frame(frame)
  }

  drained(): void {
    this.#events?.drained()
  }

  closed(): void {
    const events = this.#events
    this.#events = null
    events?.closed()
  }

  #decode(bytes: Buffer): FollowerFrame | null {
    try {
      return decodeFollowerFrame(bytes)
    } catch (error) {
      if (!(error instanceof WireDecodeError)) throw error
      this.#deps.logger.warn({ peer: this.#deps.peer, reason: error.message }, 'Malformed frame from a follower')
      return null
    }
  }
}
