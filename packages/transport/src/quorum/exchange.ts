/** The call `Quorum.Exchange`, as both of its sides know it. */
import type { ServiceDefinition } from '@grpc/grpc-js'
import type { RaftMessage } from '@kavka/controller'
import { assertNever } from '@kavka/kernel'
import { passThrough } from '../service-provider.ts'

export const EXCHANGE_PATH = '/kavka.internal.v1.Quorum/Exchange'

/** What one connection may owe the socket; a message on top of it is dropped (the quorum repeats what matters). Holds several of the largest entries. */
export const QUORUM_UNSENT_BYTES_MAX = 32 * 1024 * 1024

export const quorumServiceDefinition = {
  exchange: {
    path: EXCHANGE_PATH,
    requestStream: true,
    responseStream: true,
    requestSerialize: passThrough,
    requestDeserialize: passThrough,
    responseSerialize: passThrough,
    responseDeserialize: passThrough,
  },
} satisfies ServiceDefinition

/** Requests go out on the stream that the sender opened, responses go back on the one the request came in by. */
export function directionOf(message: RaftMessage): 'request' | 'response' {
  switch (message.kind) {
    case 'vote-request':
    case 'begin-quorum-epoch':
    case 'end-quorum-epoch':
    case 'fetch-request':
    case 'fetch-snapshot-request':
      return 'request'
    case 'vote-response':
    case 'begin-quorum-epoch-response':
    case 'fetch-response':
    case 'fetch-snapshot-response':
      return 'response'
    default:
      return assertNever(message)
  }
}
