/** What the parts of this package share that serve calls of other nodes. */
import type { Socket } from 'node:net'
import { status } from '@grpc/grpc-js'
import type { Metadata, Server, ServerDuplexStream, StatusObject } from '@grpc/grpc-js'
import type { Logger } from '@kavka/kernel'
import { identityFrom } from './call-headers.ts'
import type { CallerIdentity, HeaderLookup } from './call-headers.ts'

/** Services that may be called through inter-broker listeners and through controller listeners. */
export type ServiceGroup = 'replication' | 'controller'

/** Registered with the endpoint of a node; connections of its group's listeners may call it. */
export type ServiceProvider = GrpcServiceProvider | SingleStreamProvider

/** Served by grpc-js. */
export interface GrpcServiceProvider {
  readonly group: ServiceGroup
  addTo(server: Server): void
}

/** Serves connections that were announced to carry one stream (http2/announcement.ts). */
export interface SingleStreamProvider {
  readonly group: ServiceGroup
  /** `start` is what was read of the connection so far; the socket is paused. It belongs to the provider from here on. */
  serve(socket: Socket, start: Buffer): void
}

export type RefusedCall = Pick<StatusObject, 'code' | 'details'>

export type Admission = { readonly ok: true; readonly value: CallerIdentity } | { readonly ok: false; readonly error: RefusedCall }

/** Who calls, or why the call is refused: another cluster's node, or one of an incompatible version. */
export function admit(headers: Metadata, clusterId: string): Admission {
  return admitBy((name) => textOf(headers, name), clusterId)
}

export function admitBy(headers: HeaderLookup, clusterId: string): Admission {
  const identity = identityFrom(headers, clusterId)
  if (identity.ok) return identity
  return { ok: false, error: { code: status.FAILED_PRECONDITION, details: identity.error } }
}

function textOf(headers: Metadata, name: string): string | null {
  const value = headers.get(name)[0]
  return value === undefined ? null : String(value)
}

/** Ends a stream with an error for the caller. */
export function refuse(stream: ServerDuplexStream<unknown, unknown>, refusal: RefusedCall, logger: Logger): void {
  logger.warn({ peer: stream.getPeer(), method: stream.getPath(), reason: refusal.details }, 'Refused a call of another node')
  stream.on('data', () => {})
  stream.emit('error', refusal)
}

/** Calls `onClosed` once when the stream is over, however it ended; answers the caller's end with ours. */
export function whenClosed(stream: ServerDuplexStream<unknown, unknown>, onClosed: () => void): void {
  let closed = false
  function close(): void {
    if (closed) return
    closed = true
    onClosed()
  }
  stream.once('cancelled', close)
  stream.once('error', close)
  stream.once('close', close)
  stream.once('end', () => {
    stream.end()
    close()
  })
}

/** gRPC answers an exception of a handler with UNKNOWN and goes on; a failed assertion must stop the process. */
export function crashOnBug(run: () => void): void {
  try {
    run()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/** Messages that are encoded and decoded outside of gRPC, where an exception is not swallowed. */
export const passThrough = (bytes: Buffer): Buffer => bytes
