// Generated from proto/kavka/internal/v1/controller.proto by scripts/gen-proto.mjs. Do not edit.
import type { Reader, Writer } from 'protobufjs'
import { NO_BYTES, exactEnd } from '../proto-runtime.ts'

export interface ControllerRequest {
  readonly apiKey: number
  readonly apiVersion: number
  readonly payload: Uint8Array
  readonly principal: string
  readonly clientId: string
  readonly clientHost: string
  readonly listener: string
}

export function encodeControllerRequest(message: ControllerRequest, writer: Writer): Writer {
  if (message.apiKey !== 0) writer.uint32(8).int32(message.apiKey)
  if (message.apiVersion !== 0) writer.uint32(16).int32(message.apiVersion)
  if (message.payload.length > 0) writer.uint32(26).bytes(message.payload)
  if (message.principal !== '') writer.uint32(34).string(message.principal)
  if (message.clientId !== '') writer.uint32(42).string(message.clientId)
  if (message.clientHost !== '') writer.uint32(50).string(message.clientHost)
  if (message.listener !== '') writer.uint32(58).string(message.listener)
  return writer
}

export function decodeControllerRequest(reader: Reader, end: number): ControllerRequest {
  let apiKey: number = 0
  let apiVersion: number = 0
  let payload: Uint8Array = NO_BYTES
  let principal: string = ''
  let clientId: string = ''
  let clientHost: string = ''
  let listener: string = ''
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        apiKey = reader.int32()
        break
      case 16:
        apiVersion = reader.int32()
        break
      case 26:
        payload = reader.bytes()
        break
      case 34:
        principal = reader.string()
        break
      case 42:
        clientId = reader.string()
        break
      case 50:
        clientHost = reader.string()
        break
      case 58:
        listener = reader.string()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { apiKey, apiVersion, payload, principal, clientId, clientHost, listener }
}

export interface ControllerReply {
  readonly result:
    | { readonly kind: 'answered'; readonly value: Answered }
    | { readonly kind: 'notController'; readonly value: NotController }
    | null
}

export function encodeControllerReply(message: ControllerReply, writer: Writer): Writer {
  switch (message.result?.kind) {
    case 'answered':
      encodeAnswered(message.result.value, writer.uint32(10).fork()).ldelim()
      break
    case 'notController':
      encodeNotController(message.result.value, writer.uint32(18).fork()).ldelim()
      break
    case undefined:
  }
  return writer
}

export function decodeControllerReply(reader: Reader, end: number): ControllerReply {
  let result: ControllerReply['result'] = null
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        result = { kind: 'answered', value: decodeAnswered(reader, reader.uint32() + reader.pos) }
        break
      case 18:
        result = { kind: 'notController', value: decodeNotController(reader, reader.uint32() + reader.pos) }
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { result }
}

export interface Answered {
  readonly payload: Uint8Array
}

export function encodeAnswered(message: Answered, writer: Writer): Writer {
  if (message.payload.length > 0) writer.uint32(10).bytes(message.payload)
  return writer
}

export function decodeAnswered(reader: Reader, end: number): Answered {
  let payload: Uint8Array = NO_BYTES
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        payload = reader.bytes()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { payload }
}

export interface NotController {
  readonly leaderId: number | null
}

export function encodeNotController(message: NotController, writer: Writer): Writer {
  if (message.leaderId !== null) writer.uint32(8).int32(message.leaderId)
  return writer
}

export function decodeNotController(reader: Reader, end: number): NotController {
  let leaderId: number | null = null
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        leaderId = reader.int32()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  exactEnd(reader, end)
  return { leaderId }
}

export type SessionSignal = Readonly<Record<string, never>>

export function encodeSessionSignal(_message: SessionSignal, writer: Writer): Writer {
  return writer
}

export function decodeSessionSignal(reader: Reader, end: number): SessionSignal {
  while (reader.pos < end) {
    reader.skipType(reader.uint32() & 7)
  }
  exactEnd(reader, end)
  return {}
}
