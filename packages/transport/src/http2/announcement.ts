/**
 * How a dialer tells the listener that a connection will carry one replication stream: by a setting that others ignore (RFC 9113
 * §6.5.2; the identifier is of the range for experiments). So the wire stays gRPC, and grpc-js serves all other connections.
 */
import { CONNECTION_PREFACE, FRAME_HEADER_BYTES, FrameType, readSettings } from './frame-layout.ts'

const SINGLE_STREAM_SETTING = 0xf6b1

/** To be sent in the first SETTINGS frame. */
export const SINGLE_STREAM_ANNOUNCEMENT: readonly [id: number, value: number] = [SINGLE_STREAM_SETTING, 1]

const SETTINGS_BYTES_MAX = 1024

/** By the first bytes of an HTTP/2 connection; `more` when they do not tell yet. */
export function announcedIn(start: Buffer): 'single-stream' | 'other' | 'more' {
  const settingsAt = CONNECTION_PREFACE.length + FRAME_HEADER_BYTES
  const preface = start.subarray(0, CONNECTION_PREFACE.length)
  if (!CONNECTION_PREFACE.subarray(0, preface.length).equals(preface)) return 'other'
  if (start.length < settingsAt) return 'more'
  const length = start.readUIntBE(CONNECTION_PREFACE.length, 3)
  if (start[CONNECTION_PREFACE.length + 3] !== FrameType.settings || length > SETTINGS_BYTES_MAX) return 'other'
  if (start.length < settingsAt + length) return 'more'
  const settings = readSettings(start.subarray(settingsAt, settingsAt + length)) ?? []
  return settings.some(([id]) => id === SINGLE_STREAM_SETTING) ? 'single-stream' : 'other'
}
