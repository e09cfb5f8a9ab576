import { parse } from 'dot-properties'

/** Reads the syntax of java.util.Properties: continuations, escapes, `:` and space as separators. Later keys win. */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  return new Map(Object.entries(parse(text) as Record<string, string>))
}
