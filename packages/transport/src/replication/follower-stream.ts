import type { ClientDuplexStream } from '@grpc/grpc-js'
import type { Scheduler } from '@kavka/kernel'
import type { FollowerFrame, FollowerHello, FollowerStream, FollowerStreamEvents, LeaderFrame } from '@kavka/replication'
import { headersFor } from '../call-headers.ts'
import { CountedWriter } from '../counted-writer.ts'
import { CONNECT_TIMEOUT_MS, dial } from '../grpc-client.ts'
import type { DialDeps, NodeConnection } from '../grpc-client.ts'
import type { NodeAddress } from '../node-address.ts'
import { WireDecodeError } from '../proto-runtime.ts'
import { passThrough } from '../service-provider.ts'
import { FETCH_PATH } from './fetch-call.ts'
import { decodeLeaderFrame, encodeFollowerFrame } from './frame-codec.ts'

/** A leader that leaves so much unread has stopped: the stream is given up. A frame with the positions of 100,000 partitions has 6 MB. */
export const FOLLOWER_STREAM_UNSENT_BYTES_MAX = 32 * 1024 * 1024

/** Dials the leader; the stream lives on a connection of its own and takes it along when it ends. */
export function openFollowerStream(
  leader: NodeAddress,
  hello: FollowerHello,
  deps: DialDeps,
  events: FollowerStreamEvents,
): FollowerStream {
  const connection = dial(leader, deps, (reason) => stream.lost(reason))
  const headers = headersFor({
    clusterId: hello.clusterId,
    nodeId: hello.followerId,
    brokerEpoch: hello.followerBrokerEpoch,
    leaderId: hello.leaderId,
  })
  const call = connection.client.makeBidiStreamRequest<Buffer, Buffer>(FETCH_PATH, passThrough, passThrough, headers)
  const stream = new GrpcFollowerStream(connection, call, deps.scheduler, events)
  return stream
}

class GrpcFollowerStream implements FollowerStream {
  readonly #connection: NodeConnection
  readonly #call: ClientDuplexStream<Buffer, Buffer>
  readonly #scheduler: Scheduler
  readonly #events: FollowerStreamEvents
  readonly #cancelTimeout: () => void
  readonly #writer: CountedWriter
  #open = true

  constructor(
    connection: NodeConnection,
    call: ClientDuplexStream<Buffer, Buffer>,
    scheduler: Scheduler,
    events: FollowerStreamEvents,
  ) {
    this.#connection = connection
    this.#call = call
    this.#scheduler = scheduler
    this.#events = events
    this.#writer = new CountedWriter({ unsentBytesMax: FOLLOWER_STREAM_UNSENT_BYTES_MAX }, { sink: call, onDrained: () => {} })
    const timeout = scheduler.after(CONNECT_TIMEOUT_MS, () => this.#end('connecting timed out'))
    this.#cancelTimeout = () => timeout.cancel()
    call.once('metadata', this.#cancelTimeout)
    call.on('data', (bytes: Buffer) => this.#received(bytes))
    call.on('error', (error: Error) => this.#end(error.message))
    call.on('end', () => this.#end('closed by the leader'))
  }

  send(frame: FollowerFrame): void {
    if (!this.#open) return
    const bytes = encodeFollowerFrame(frame)
    this.#writer.write(bytes, bytes.length)
    // Not within the call: the fetcher that sends does not expect to be told of the end meanwhile.
    if (this.#writer.full) this.#scheduler.soon(() => this.#end('the leader does not read'))
  }

  close(): void {
    this.#release()
  }

  lost(reason: string): void {
    this.#end(reason)
  }

  #received(bytes: Buffer): void {
    if (!this.#open) return
    const frame = decodeOrReason(bytes)
    if (typeof frame === 'string') this.#end(frame)
    else this.#events.frame(frame)
  }

  #end(reason: string): void {
    if (!this.#open) return
    this.#release()
    this.#events.closed(reason)
  }

  #release(): void {
    this.#open = false
    this.#cancelTimeout()
    this.#call.cancel()
    this.#connection.close()
  }
}

function decodeOrReason(bytes: Buffer): LeaderFrame | string {
  try {
    return decodeLeaderFrame(bytes)
  } catch (error) {
    if (error instanceof WireDecodeError) return error.message
    throw error
  }
}
