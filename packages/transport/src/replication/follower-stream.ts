import type { Scheduler } from '@kavka/kernel'
import type { FollowerFrame, FollowerHello, FollowerStream, FollowerStreamEvents, LeaderFrame } from '@kavka/replication'
import { identityFields } from '../call-headers.ts'
import { CONNECT_TIMEOUT_MS } from '../grpc-client.ts'
import type { DialDeps } from '../grpc-client.ts'
import { CallSocket } from '../http2/call-socket.ts'
import { connectCall } from '../http2/connect-call.ts'
import { requestFields, statusText } from '../http2/grpc-fields.ts'
import type { HeaderFields } from '../http2/header-block.ts'
import { MESSAGE_HEAD_BYTES } from '../http2/message-sender.ts'
import type { SlabPool } from '../http2/receive-memory.ts'
import type { NodeAddress } from '../node-address.ts'
import { WireDecodeError } from '../proto-runtime.ts'
import { FETCH_PATH } from './fetch-call.ts'
import { decodeLeaderFrame, encodeFollowerFrame } from './frame-codec.ts'

/** A leader that leaves so much unread has stopped: the stream is given up. A frame with the positions of 100,000 partitions has 6 MB. */
export const FOLLOWER_STREAM_UNSENT_BYTES_MAX = 32 * 1024 * 1024

/** Frames are as large as the leader makes them. */
const LEADER_FRAME_BYTES_MAX = 2 ** 31

export interface FollowerStreamDeps extends DialDeps {
  readonly slabs: SlabPool
}

/** Dials the leader; the stream lives on a connection of its own and takes it along when it ends. */
export function openFollowerStream(
  leader: NodeAddress,
  hello: FollowerHello,
  deps: FollowerStreamDeps,
  events: FollowerStreamEvents,
): FollowerStream {
  return new GrpcFollowerStream(leader, hello, deps, events)
}

class GrpcFollowerStream implements FollowerStream {
  readonly #call: CallSocket
  readonly #scheduler: Scheduler
  readonly #events: FollowerStreamEvents
  readonly #cancelTimeout: () => void
  readonly #hangUp: () => void
  #status: string | null = null

  constructor(leader: NodeAddress, hello: FollowerHello, deps: FollowerStreamDeps, events: FollowerStreamEvents) {
    const { scheduler } = deps
    this.#scheduler = scheduler
    this.#events = events
    const options = { role: 'client', messageBytesMax: LEADER_FRAME_BYTES_MAX, unsentBytesMax: FOLLOWER_STREAM_UNSENT_BYTES_MAX } as const
    this.#call = new CallSocket(options, {
      scheduler,
      slabs: deps.slabs,
      events: {
        headers: (fields) => this.#heard(fields),
        message: (bytes) => this.#received(bytes),
        drained: () => {},
        closed: (reason) => this.#closed(this.#status ?? reason),
      },
    })
    this.#call.sendHeaders(new Map([...requestFields(FETCH_PATH, leader), ...identityOf(hello)]))
    const timeout = scheduler.after(CONNECT_TIMEOUT_MS, () => this.#call.fail('connecting timed out'))
    this.#cancelTimeout = () => timeout.cancel()
    this.#hangUp = connectCall(this.#call, leader, deps)
  }

  send(frame: FollowerFrame): void {
    if (!this.#call.isOpen) return
    this.#call.send(encodeFollowerFrame(frame, MESSAGE_HEAD_BYTES), [], 0)
    // Not within the call: the fetcher that sends does not expect to be told of the end meanwhile.
    if (this.#call.isFull) this.#scheduler.soon(() => this.#call.fail('the leader does not read'))
  }

  close(): void {
    this.#cancelTimeout()
    this.#call.destroy()
    this.#hangUp()
  }

  /** The first ones say that the call is served, the last ones how it ended. */
  #heard(fields: HeaderFields): void {
    this.#cancelTimeout()
    this.#status = statusText(fields) ?? this.#status
  }

  #received(bytes: Buffer): void {
    const frame = decodeOrReason(bytes)
    if (typeof frame === 'string') this.#call.fail(frame)
    else this.#events.frame(frame)
  }

  #closed(reason: string): void {
    this.#cancelTimeout()
    this.#hangUp()
    this.#events.closed(reason)
  }
}

function identityOf(hello: FollowerHello): [name: string, value: string][] {
  const { clusterId, followerId, followerBrokerEpoch, leaderId } = hello
  return identityFields({ clusterId, nodeId: followerId, brokerEpoch: followerBrokerEpoch, leaderId })
}

function decodeOrReason(bytes: Buffer): LeaderFrame | string {
  try {
    return decodeLeaderFrame(bytes)
  } catch (error) {
    if (error instanceof WireDecodeError) return error.message
    throw error
  }
}
