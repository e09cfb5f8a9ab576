/** The frames of HTTP/2 as bytes (RFC 9113 §4 and §6), as far as a connection that carries one stream has them. */
import { assert } from '@kavka/kernel'

export const FRAME_HEADER_BYTES = 9
export const CONNECTION_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** Bounds and defaults of the protocol, before any setting says otherwise. */
export const DEFAULT_WINDOW_BYTES = 65_535
export const DEFAULT_FRAME_BYTES_MAX = 16_384
export const WINDOW_BYTES_MAX = 2 ** 31 - 1
export const FRAME_LENGTH_MAX = 2 ** 24 - 1

export const FrameType = {
  data: 0, headers: 1, priority: 2, reset: 3, settings: 4, pushPromise: 5, ping: 6, goAway: 7, windowUpdate: 8, continuation: 9,
} as const

/** `ack` is of SETTINGS and PING, `endStream` of DATA and HEADERS. */
export const Flag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const

export const Setting = { headerTableSize: 0x1, enablePush: 0x2, initialWindowSize: 0x4, frameBytesMax: 0x5 } as const

export const ErrorCode = { none: 0x0, cancel: 0x8 } as const

const SETTING_BYTES = 6

export interface FrameHeader {
  readonly length: number
  readonly type: number
  readonly flags: number
  readonly streamId: number
}

export function writeFrameHeader(target: Buffer, at: number, { length, type, flags, streamId }: FrameHeader): void {
  assert(length <= FRAME_LENGTH_MAX, 'a frame has less than 16 MiB', { length })
  target.writeUIntBE(length, at, 3)
  target[at + 3] = type
  target[at + 4] = flags
  target.writeUInt32BE(streamId, at + 5)
}

/** A whole frame; for all but DATA. */
export function frame(header: Omit<FrameHeader, 'length'>, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length)
  writeFrameHeader(bytes, 0, { ...header, length: payload.length })
  payload.copy(bytes, FRAME_HEADER_BYTES)
  return bytes
}

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(settings.length * SETTING_BYTES)
  settings.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, i * SETTING_BYTES)
    payload.writeUInt32BE(value, i * SETTING_BYTES + 2)
  })
  return frame({ type: FrameType.settings, flags: 0, streamId: 0 }, payload)
}

/** Null when the payload is malformed. */
export function readSettings(payload: Buffer): [id: number, value: number][] | null {
  if (payload.length % SETTING_BYTES !== 0) return null
  const settings: [number, number][] = []
  for (let at = 0; at < payload.length; at += SETTING_BYTES) settings.push([payload.readUInt16BE(at), payload.readUInt32BE(at + 2)])
  return settings
}

export function windowUpdateFrame(streamId: number, bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(4)
  payload.writeUInt32BE(bytes, 0)
  return frame({ type: FrameType.windowUpdate, flags: 0, streamId }, payload)
}
