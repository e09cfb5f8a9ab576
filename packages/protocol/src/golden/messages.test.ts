import { ExactReader, Writer } from '../index.ts'
import type { MessageCodec } from '../index.ts'
import { goldenLines } from './load-golden.ts'
import * as testMessages from './gen/index.ts'
import {
  addUnknownTags,
  codecsByName,
  jsonFromValue,
  productCodecs,
  valueFromJson,
} from './golden-message.ts'
import type { GoldenMessage, GoldenUnknownTag } from './golden-message.ts'

function encoded(codec: MessageCodec<unknown>, value: unknown, version: number): string {
  const writer = new Writer()
  codec.encode(writer, value as never, version)
  return writer.toBuffer().toString('hex')
}

const byPath = (a: GoldenUnknownTag, b: GoldenUnknownTag): number =>
  a.path === b.path ? a.tag - b.tag : a.path < b.path ? -1 : 1

function checkCase(codec: MessageCodec<unknown>, golden: GoldenMessage): void {
  const bytes = Buffer.from(golden.hex, 'hex')
  const reader = new ExactReader(bytes)
  const value = codec.decode(reader, golden.version)
  if (reader.remaining !== 0) throw new Error(`${reader.remaining} bytes left`)
  const tags: GoldenUnknownTag[] = []
  const json = jsonFromValue(value, golden.json, '$', tags)
  expect(json).toEqual(golden.json)
  expect(tags.sort(byPath)).toEqual([...(golden.unknownTags ?? [])].sort(byPath))
  expect(encoded(codec, value, golden.version)).toBe(golden.hex)
  const fresh = valueFromJson(golden.json, value)
  addUnknownTags(fresh, golden.unknownTags ?? [])
  expect(encoded(codec, fresh, golden.version)).toBe(golden.hex)
}

function checkAll(
  file: string,
  codecs: ReadonlyMap<string, MessageCodec<unknown>>,
): { cases: number; problems: string[] } {
  const problems: string[] = []
  const lines = goldenLines<GoldenMessage>(file)
  for (const golden of lines) {
    const codec = codecs.get(golden.message)
    try {
      if (codec === undefined) throw new Error('no codec')
      checkCase(codec, golden)
    } catch (error) {
      problems.push(`${golden.message} v${golden.version} ${golden.case}: ${(error as Error).message}`)
    }
  }
  return { cases: lines.length, problems }
}

test('every message that Kafka wrote is read to its values and written to its bytes', () => {
  const { cases, problems } = checkAll('messages.jsonl', productCodecs)
  expect(problems).toEqual([])
  expect(cases).toBe(6433)
})

test('so are the messages with which Kafka tests its own generator', () => {
  const { cases, problems } = checkAll('messages-test.jsonl', codecsByName(testMessages))
  expect(problems).toEqual([])
  expect(cases).toBe(115)
})
