import type { ConfigKey } from './config-key.ts'

type ValueOf<K> = K extends ConfigKey<infer T> ? T : never

/** The typed object that a table of declarations describes. */
export type ConfigValues<Table> = { readonly [Name in keyof Table]: ValueOf<Table[Name]> }

/** A declaration seen without its value type, for code that treats all keys alike. */
export type AnyConfigKey = ConfigKey<unknown>

/** Rows of a table as [property, declaration]. */
export function rowsOf(table: object): ReadonlyArray<readonly [string, AnyConfigKey]> {
  return Object.entries(table) as ReadonlyArray<readonly [string, AnyConfigKey]>
}

/** `log.segment.bytes` → `logSegmentBytes`. */
export function propertyNameOf(key: string): string {
  return key.replaceAll(/\.(\w)/g, (_, letter: string) => letter.toUpperCase())
}
