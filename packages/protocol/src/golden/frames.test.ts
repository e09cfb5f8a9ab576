import {
  apis,
  decodeBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequestFrame,
  encodeResponseFrame,
  ExactReader,
  requestHeaderVersion,
  responseHeaderVersion,
} from '../index.ts'
import { goldenLines } from './load-golden.ts'
import { jsonFromValue, productCodecs } from './golden-message.ts'
import type { GoldenMessage } from './golden-message.ts'

interface GoldenFrame {
  readonly kind: 'request' | 'response'
  readonly api: string
  readonly apiKey: number
  readonly message: string
  readonly version: number
  readonly headerVersion: number
  readonly correlationId: number
  readonly clientId?: string | null
  readonly case: string
  readonly hex: string
}

const frames = goldenLines<GoldenFrame>('frames.jsonl')
const bodies = new Map(
  goldenLines<GoldenMessage>('messages.jsonl').map((one) => [
    `${one.message} ${one.version} ${one.case}`,
    one.json,
  ]),
)

/** The JSON of the body: stated for the frames of the plain cases only. */
function checkBody(frame: GoldenFrame, value: unknown): void {
  const json = bodies.get(`${frame.message} ${frame.version} ${frame.case}`)
  if (json !== undefined) expect(jsonFromValue(value, json, '$', [])).toEqual(json)
}

function checkRequest(frame: GoldenFrame, payload: Buffer): void {
  const head = decodeRequestHeader(payload)
  const { apiKey, apiVersion, correlationId, clientId, api, versionSupported, unknownTags } = head
  expect({ apiKey, apiVersion, correlationId, clientId }).toEqual({
    apiKey: frame.apiKey,
    apiVersion: frame.version,
    correlationId: frame.correlationId,
    clientId: frame.clientId,
  })
  expect(api!.name).toBe(frame.api)
  expect(versionSupported).toBe(true)
  expect(requestHeaderVersion(api!, apiVersion)).toBe(frame.headerVersion)
  const request = decodeBody(api!.requestCodec, head.body, apiVersion)
  checkBody(frame, request)
  const header = unknownTags === undefined ? {} : { unknownHeaderTags: unknownTags }
  const encoded = encodeRequestFrame({
    codec: api!.requestCodec,
    apiVersion,
    correlationId,
    clientId,
    request: request as never,
    ...header,
  })
  expect(Buffer.concat(encoded).toString('hex')).toBe(frame.hex)
}

function checkResponse(frame: GoldenFrame, payload: Buffer): void {
  const codec = productCodecs.get(frame.message)!
  expect(responseHeaderVersion(apis.get(frame.apiKey)!, frame.version)).toBe(frame.headerVersion)
  const decoded = decodeResponse(codec, frame.version, new ExactReader(payload))
  const { correlationId, response, unknownTags } = decoded
  expect(correlationId).toBe(frame.correlationId)
  checkBody(frame, response)
  const header = unknownTags === undefined ? {} : { unknownHeaderTags: unknownTags }
  const encoded = encodeResponseFrame({
    codec,
    apiVersion: frame.version,
    correlationId,
    response: response as never,
    ...header,
  })
  expect(Buffer.concat(encoded).toString('hex')).toBe(frame.hex)
}

test('every frame that Kafka wrote is read and written back', () => {
  expect(frames).toHaveLength(609)
  for (const frame of frames) {
    const bytes = Buffer.from(frame.hex, 'hex')
    expect(bytes.readInt32BE(0)).toBe(bytes.length - 4)
    const payload = bytes.subarray(4)
    if (frame.kind === 'request') checkRequest(frame, payload)
    else checkResponse(frame, payload)
  }
})

test('the frames cover every API in every version, both ways', () => {
  const covered = new Set(frames.map((frame) => `${frame.kind} ${frame.apiKey} ${frame.version}`))
  for (const { key, versions } of apis.values()) {
    for (let version = versions[0]; version <= versions[1]; version++) {
      expect(covered.has(`request ${key} ${version}`)).toBe(true)
      expect(covered.has(`response ${key} ${version}`)).toBe(true)
    }
  }
})
