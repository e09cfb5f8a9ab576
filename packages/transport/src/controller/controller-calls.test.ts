import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import type { ControllerRequest } from '@kavka/controller'
import type { NodeId } from '@kavka/protocol'
import { ApiKey, apis } from '@kavka/protocol'
import { WireDecodeError } from '../proto-runtime.ts'
import { decodeControllerReply, decodeControllerRequest, encodeControllerReply, encodeControllerRequest } from './controller-calls.ts'

const schema = protobuf.parse(readFileSync(join(__dirname, '../../../../proto/kavka/internal/v1/controller.proto'), 'utf8')).root
const requestType = schema.lookupType('kavka.internal.v1.ControllerRequest')
const replyType = schema.lookupType('kavka.internal.v1.ControllerReply')
const api = apis.get(ApiKey.AllocateProducerIds)!

const request: ControllerRequest = {
  apiKey: ApiKey.AllocateProducerIds, apiVersion: 0, body: { ...(api.requestCodec.defaults() as object), brokerId: 3, brokerEpoch: 4 },
  principal: 'User:a', clientId: 'b', clientHost: 'c', listener: 'd',
}

test('a request is what the .proto file says', () => {
  const fields = requestType.toObject(requestType.decode(encodeControllerRequest(request)))
  expect(fields).toMatchObject({ apiKey: 67, principal: 'User:a', clientId: 'b', clientHost: 'c', listener: 'd' })
  expect(Buffer.from(fields['payload'] as Uint8Array).toString('hex')).toBe('00000003' + '0000000000000004' + '00')
  expect(decodeControllerRequest(requestType.encode(requestType.fromObject(fields)).finish())).toEqual(request)
})

test('replies are what the .proto file says', () => {
  const named = encodeControllerReply(request, { kind: 'not-controller', leaderId: 0 as NodeId })
  expect(replyType.toObject(replyType.decode(named))).toEqual({ notController: { leaderId: 0 } })
  const nobody = encodeControllerReply(request, { kind: 'not-controller', leaderId: null })
  expect(replyType.toObject(replyType.decode(nobody))).toEqual({ notController: {} })
  expect(decodeControllerReply(request, nobody)).toEqual({ kind: 'not-controller', leaderId: null })
  const body = { ...(api.responseCodec.defaults() as object), producerIdStart: 5, producerIdLen: 1000 }
  const answered = encodeControllerReply(request, { kind: 'answered', body })
  expect(replyType.toObject(replyType.decode(answered))).toHaveProperty('answered.payload')
  expect(decodeControllerReply(request, answered)).toEqual({ kind: 'answered', body })
})

test('a reply without a result and a payload with bytes left over are refused', () => {
  expect(() => decodeControllerReply(request, Buffer.alloc(0))).toThrow(WireDecodeError)
  const long = requestType.encode(requestType.fromObject({ apiKey: 67, payload: Buffer.alloc(14) })).finish()
  expect(() => decodeControllerRequest(long)).toThrow('1 bytes left over')
})
