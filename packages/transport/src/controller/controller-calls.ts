/** The calls of the service `Controller`, as both of their sides know them. */
import type { ServiceDefinition } from '@grpc/grpc-js'
import type { ControllerReply, ControllerRequest } from '@kavka/controller'
import type { NodeId } from '@kavka/protocol'
import {
  decodeControllerReply as decodeWireReply,
  decodeControllerRequest as decodeWireRequest,
  encodeControllerReply as encodeWireReply,
  encodeControllerRequest as encodeWireRequest,
} from '../gen/controller.ts'
import { decodeProto, encodeProto, required } from '../proto-runtime.ts'
import { passThrough } from '../service-provider.ts'
import { decodeRequestBody, decodeResponseBody, encodeRequestBody, encodeResponseBody } from './kafka-body.ts'

export const REQUEST_PATH = '/kavka.internal.v1.Controller/Request'
export const SESSION_PATH = '/kavka.internal.v1.Controller/Session'

const asBytes = {
  requestSerialize: passThrough,
  requestDeserialize: passThrough,
  responseSerialize: passThrough,
  responseDeserialize: passThrough,
} as const

export const controllerServiceDefinition = {
  request: { path: REQUEST_PATH, requestStream: false, responseStream: false, ...asBytes },
  session: { path: SESSION_PATH, requestStream: true, responseStream: true, ...asBytes },
} satisfies ServiceDefinition

export function encodeControllerRequest(request: ControllerRequest): Buffer {
  const { apiKey, apiVersion, body, principal, clientId, clientHost, listener } = request
  const payload = encodeRequestBody(apiKey, apiVersion, body)
  return encodeProto(encodeWireRequest, { apiKey, apiVersion, payload, principal, clientId, clientHost, listener })
}

/** Throws WireDecodeError for malformed bytes, an unknown API or version. */
export function decodeControllerRequest(bytes: Uint8Array): ControllerRequest {
  const { apiKey, apiVersion, payload, principal, clientId, clientHost, listener } = decodeProto(decodeWireRequest, bytes)
  const body = decodeRequestBody(apiKey, apiVersion, payload)
  return { apiKey, apiVersion, body, principal, clientId, clientHost, listener }
}

type SentReply = Exclude<ControllerReply, { kind: 'unreachable' }>

/** The reply to `request`, whose API and version give the response its form. */
export function encodeControllerReply(request: ControllerRequest, reply: SentReply): Buffer {
  if (reply.kind === 'not-controller') {
    return encodeProto(encodeWireReply, { result: { kind: 'notController', value: { leaderId: reply.leaderId } } })
  }
  const payload = encodeResponseBody(request.apiKey, request.apiVersion, reply.body)
  return encodeProto(encodeWireReply, { result: { kind: 'answered', value: { payload } } })
}

/** Throws WireDecodeError for malformed bytes. */
export function decodeControllerReply(request: ControllerRequest, bytes: Uint8Array): SentReply {
  const result = required(decodeProto(decodeWireReply, bytes).result, 'result')
  if (result.kind === 'notController') return { kind: 'not-controller', leaderId: result.value.leaderId as NodeId | null }
  return { kind: 'answered', body: decodeResponseBody(request.apiKey, request.apiVersion, result.value.payload) }
}
