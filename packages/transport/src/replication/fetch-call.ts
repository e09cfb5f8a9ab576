/** The call `Replication.Fetch`, as both of its sides know it. */
import type { ServiceDefinition } from '@grpc/grpc-js'
import { assert } from '@kavka/kernel'
import type { LeaderFrame } from '@kavka/replication'
import { passThrough } from '../service-provider.ts'
import { leaderFrameBytes, writeLeaderFrame } from './frame-codec.ts'

export const FETCH_PATH = '/kavka.internal.v1.Replication/Fetch'

/** A leader frame on its way out, measured once. */
export interface OutgoingFrame {
  readonly frame: LeaderFrame
  readonly bytes: number
}

export function outgoing(frame: LeaderFrame): OutgoingFrame {
  return { frame, bytes: leaderFrameBytes(frame) }
}

/**
 * grpc-js asks a serializer for a buffer only to copy it behind the five bytes of the message header: it uses `byteLength` and
 * `copy(target, start)`, nothing else. Answering these two writes the frame straight into that place, so that record bytes are copied
 * once instead of twice. `fetch-call.test.ts` fails when grpc-js begins to ask for more.
 */
export function serializeInPlace({ frame, bytes }: OutgoingFrame): Buffer {
  const writable: Pick<Buffer, 'byteLength'> & { copy(target: Buffer, start: number): number } = {
    byteLength: bytes,
    copy: (target, start) => {
      const end = writeLeaderFrame(frame, target, start)
      assert(end - start === bytes, 'leader frame of another size than computed', { written: end - start, bytes })
      return bytes
    },
  }
  return writable as Buffer
}

export const replicationServiceDefinition = {
  fetch: {
    path: FETCH_PATH,
    requestStream: true,
    responseStream: true,
    requestSerialize: passThrough,
    requestDeserialize: passThrough,
    responseSerialize: serializeInPlace,
    responseDeserialize: passThrough,
  },
} satisfies ServiceDefinition
