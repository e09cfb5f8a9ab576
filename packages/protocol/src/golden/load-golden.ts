/* oxlint-disable eslint/no-restricted-imports -- only tests import this, to read their data */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** Bytes made by Apache Kafka's own library; see testdata/golden/README.md. */
const GOLDEN = join(__dirname, '..', '..', 'testdata', 'golden')

/** Keeps int64 values exact: those beyond the safe integers become bigint, as ExactReader gives them. */
export function parseExact(text: string): unknown {
  return JSON.parse(text, function exact(_key: string, value: unknown, context?: { source?: string }) {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    const source = context?.source ?? ''
    return /^-?\d+$/.test(source) ? BigInt(source) : value
  } as (key: string, value: unknown) => unknown)
}

export function goldenText(name: string): string {
  return gunzipSync(readFileSync(join(GOLDEN, `${name}.gz`))).toString('utf8')
}

/** One object a line. */
export function goldenLines<T>(name: string): T[] {
  return goldenText(name)
    .trimEnd()
    .split('\n')
    .map((line) => parseExact(line) as T)
}
