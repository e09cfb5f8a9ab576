import * as protocol from '../index.ts'
import type { MessageCodec, UnknownTag } from '../index.ts'

export interface GoldenUnknownTag {
  readonly path: string
  readonly tag: number
  readonly hex: string
}

/** A line of messages.jsonl. */
export interface GoldenMessage {
  readonly message: string
  readonly version: number
  readonly case: string
  readonly json: Json
  readonly unknownTags?: readonly GoldenUnknownTag[]
  readonly prefixHex?: string
  readonly hex: string
}

export type Json =
  null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json }

/** Codecs by message name, from a module namespace that exports `xxxCodec`. */
export function codecsByName(exports: object): ReadonlyMap<string, MessageCodec<unknown>> {
  const codecs = Object.entries(exports).filter(([name]) => name.endsWith('Codec')) as [
    string,
    MessageCodec<unknown>,
  ][]
  return new Map(codecs.map(([, codec]) => [codec.name, codec]))
}

export const productCodecs = codecsByName(protocol)

/**
 * The golden JSON as a value for the encoder. JSON does not say which strings are bytes; the decoded twin
 * does.
 */
export function valueFromJson(json: Json, twin: unknown): unknown {
  if (Buffer.isBuffer(twin)) return Buffer.from(json as string, 'base64')
  if (Array.isArray(json))
    return json.map((item, index) => valueFromJson(item as Json, (twin as unknown[])[index]))
  if (json === null || typeof json !== 'object') return json
  const fields = Object.entries(json as Record<string, Json>)
  return Object.fromEntries(
    fields.map(([key, item]) => [key, valueFromJson(item, (twin as Record<string, unknown>)[key])]),
  )
}

/**
 * The decoded value as golden JSON, with only the keys that the golden one has; unknown tags go to `tags` by
 * path.
 */
export function jsonFromValue(value: unknown, like: Json, path: string, tags: GoldenUnknownTag[]): Json {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (Array.isArray(value)) {
    const items = like as readonly Json[]
    if (items.length !== value.length)
      throw new Error(`${path}: ${value.length} elements, golden ${items.length}`)
    return value.map((item, index) => jsonFromValue(item, items[index]!, `${path}[${index}]`, tags))
  }
  if (value === null || typeof value !== 'object') return value as Json
  if (like === null) throw new Error(`${path}: a struct where golden has null`)
  const fields = value as Record<string, unknown>
  const result: Record<string, Json> = {}
  for (const key of Object.keys(like as object)) {
    const inner = path === '$' ? key : `${path}.${key}`
    result[key] = jsonFromValue(fields[key], (like as Record<string, Json>)[key]!, inner, tags)
  }
  for (const { tag, data } of (fields['unknownTags'] ?? []) as UnknownTag[])
    tags.push({ path, tag, hex: data.toString('hex') })
  return result
}

/** Adds unknown tags to a value made from JSON. */
export function addUnknownTags(value: unknown, tags: readonly GoldenUnknownTag[]): void {
  for (const { path, tag, hex } of tags) {
    const steps = path === '$' ? [] : path.split(/[.[\]]+/).filter((step) => step !== '')
    const struct = steps.reduce((at, step) => (at as Record<string, unknown>)[step], value) as Record<
      string,
      unknown
    >
    const list = (struct['unknownTags'] ??= []) as UnknownTag[]
    list.push({ tag, data: Buffer.from(hex, 'hex') })
    list.sort((a, b) => a.tag - b.tag)
  }
}
