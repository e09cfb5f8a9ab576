/** All that generated modules import, so that each has one line for it. */
export { ZERO_UUID } from '../ids.ts'
export type { Uuid } from '../ids.ts'
export { defineCodec } from './codec.ts'
export type { Encodable, MessageCodec } from './codec.ts'
export type { Reader } from './reader.ts'
export { NO_UNKNOWN_TAGS } from './unknown-tags.ts'
export type { UnknownTag } from './unknown-tags.ts'
export type { Writer } from './writer.ts'

/** Stands for every empty byte field that was not on the wire. */
export const NO_BYTES: Buffer = Buffer.alloc(0)
