import { failure, success } from '../result.ts'
import type { Result } from '../result.ts'

/** Value types as DescribeConfigs names them. */
export type ConfigType = 'BOOLEAN' | 'STRING' | 'INT' | 'SHORT' | 'LONG' | 'DOUBLE' | 'LIST' | 'CLASS' | 'PASSWORD'

/** `read-only`: needs a restart. The others may be altered at run time, for one broker or for all of them. */
export type ConfigScope = 'read-only' | 'per-broker' | 'cluster-wide' | 'topic'

export type ConfigImportance = 'HIGH' | 'MEDIUM' | 'LOW'

/**
 * One configuration key, declared once: parsing, validation, `--help`, DescribeConfigs and the documentation derive from it.
 * `T` is what the product reads; the text form is Kafka's.
 */
export interface ConfigKey<T> {
  /** Kafka's name, with dots. */
  readonly name: string
  readonly type: ConfigType
  /** Undefined: the key must be set. */
  readonly default: T | undefined
  /** Allowed values in words, for error messages; '' when anything goes. */
  readonly allowed: string
  readonly importance: ConfigImportance
  readonly scope: ConfigScope
  readonly doc: string
  /** Parses and validates; the error is the sentence that Kafka's own validators give. */
  parse(text: string): Result<T, string>
  /** The text form that DescribeConfigs shows; null for an unset value. */
  format(value: T): string | null
}

/** What a declaration says besides name and type. */
export interface ConfigKeySpec<T> {
  readonly default?: T
  readonly importance?: ConfigImportance
  readonly scope?: ConfigScope
  readonly doc: string
}

interface NumberSpec<T> extends ConfigKeySpec<T> {
  readonly min?: number
  readonly max?: number
}

/** Kafka's Long.MAX_VALUE: "without limit". Kept as the largest safe integer, printed as Kafka prints it. */
export const LONG_MAX = Number.MAX_SAFE_INTEGER
const LONG_MAX_TEXT = '9223372036854775807'
const INT_MAX = 2 ** 31 - 1

export function int(name: string, spec: NumberSpec<number>): ConfigKey<number> {
  return integerKey(name, 'INT', INT_MAX, spec)
}

export function short(name: string, spec: NumberSpec<number>): ConfigKey<number> {
  return integerKey(name, 'SHORT', 32767, spec)
}

export function long(name: string, spec: NumberSpec<number>): ConfigKey<number> {
  return integerKey(name, 'LONG', LONG_MAX, spec)
}

/** A number that may be left unset, so that another key decides. */
export function optionalLong(name: string, spec: NumberSpec<number | null>): ConfigKey<number | null> {
  return optional(integerKey(name, 'LONG', LONG_MAX, { ...spec, default: 0 }), spec)
}

export function optionalInt(name: string, spec: NumberSpec<number | null>): ConfigKey<number | null> {
  return optional(integerKey(name, 'INT', INT_MAX, { ...spec, default: 0 }), spec)
}

export function double(name: string, spec: NumberSpec<number>): ConfigKey<number> {
  const range = rangeText(spec.min, spec.max)
  return key(name, 'DOUBLE', spec, range, String, (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (Number.isNaN(value)) return failure('Not a number of type DOUBLE')
    return withinRange(value, spec.min, spec.max) ? success(value) : failure(rangeProblem(value, spec.min, spec.max))
  })
}

export function boolean(name: string, spec: ConfigKeySpec<boolean>): ConfigKey<boolean> {
  return key(name, 'BOOLEAN', spec, 'true or false', String, (text) => {
    const word = text.trim().toLowerCase()
    if (word === 'true' || word === 'false') return success(word === 'true')
    return failure('Expected value to be either true or false')
  })
}

export function string(name: string, spec: ConfigKeySpec<string>): ConfigKey<string> {
  return key(name, 'STRING', spec, '', (value) => value, (text) => success(text.trim()))
}

export function optionalString(name: string, spec: ConfigKeySpec<string | null>): ConfigKey<string | null> {
  return key(name, 'STRING', spec, '', (value) => value, (text) => success(text.trim() === '' ? null : text.trim()))
}

/** One of a few words; matched without regard to case, as Kafka does for most of them. */
export function oneOf<T extends string>(name: string, words: readonly T[], spec: ConfigKeySpec<T>): ConfigKey<T> {
  const allowed = `one of ${words.join(', ')}`
  return key(name, 'STRING', spec, allowed, (value) => value, (text) => {
    const found = words.find((word) => word.toLowerCase() === text.trim().toLowerCase())
    return found === undefined ? failure(`String must be one of: ${words.join(', ')}`) : success(found)
  })
}

interface ListSpec<T extends string> extends ConfigKeySpec<readonly T[]> {
  /** The words an element may be; anything when absent. */
  readonly of?: readonly T[]
  readonly nonEmpty?: boolean
}

/** A comma-separated list without duplicates. */
export function list<T extends string = string>(name: string, spec: ListSpec<T>): ConfigKey<readonly T[]> {
  const allowed = spec.of === undefined ? '' : `a list of ${spec.of.join(', ')}`
  return key(name, 'LIST', spec, allowed, (value) => value.join(','), (text) => {
    const items = text.split(',').map((item) => item.trim()).filter((item) => item !== '')
    const stranger = items.find((item) => spec.of !== undefined && !spec.of.includes(item as T))
    if (stranger !== undefined) return failure(`'${stranger}' must be one of: ${spec.of?.join(', ') ?? ''}`)
    if (new Set(items).size !== items.length) return failure('Configuration contains a value twice')
    if (items.length === 0 && spec.nonEmpty === true) return failure('Configuration must not be empty')
    return success(items as T[])
  })
}

function integerKey(
  name: string,
  type: 'INT' | 'SHORT' | 'LONG',
  typeMax: number,
  spec: NumberSpec<number>,
): ConfigKey<number> {
  const range = rangeText(spec.min, spec.max)
  return key(name, type, spec, range, formatInteger, (text) => {
    const trimmed = text.trim()
    if (!/^[+-]?\d+$/.test(trimmed)) return failure(`Not a number of type ${type}`)
    const value = trimmed === LONG_MAX_TEXT && type === 'LONG' ? LONG_MAX : Number(trimmed)
    if (Math.abs(value) > typeMax) return failure(`Not a number of type ${type}`)
    return withinRange(value, spec.min, spec.max) ? success(value) : failure(rangeProblem(value, spec.min, spec.max))
  })
}

function optional<T>(inner: ConfigKey<T>, spec: ConfigKeySpec<T | null>): ConfigKey<T | null> {
  return {
    ...inner,
    default: spec.default === undefined ? null : spec.default,
    parse: (text) => (text.trim() === '' ? success(null) : inner.parse(text)),
    format: (value) => (value === null ? null : inner.format(value)),
  }
}

function key<T>(
  name: string,
  type: ConfigType,
  spec: ConfigKeySpec<T>,
  allowed: string,
  format: (value: T) => string | null,
  parse: (text: string) => Result<T, string>,
): ConfigKey<T> {
  const { importance = 'MEDIUM', scope = 'read-only', doc } = spec
  return { name, type, default: spec.default, allowed, importance, scope, doc, parse, format }
}

function formatInteger(value: number): string {
  return value === LONG_MAX ? LONG_MAX_TEXT : String(value)
}

function withinRange(value: number, min = -Infinity, max = Infinity): boolean {
  return value >= min && value <= max
}

function rangeProblem(value: number, min = -Infinity, max = Infinity): string {
  return value < min ? `Value must be at least ${min}` : `Value must be no more than ${max}`
}

function rangeText(min: number | undefined, max: number | undefined): string {
  if (min === undefined && max === undefined) return ''
  if (max === undefined) return `at least ${min}`
  if (min === undefined) return `at most ${max}`
  return `between ${min} and ${max}`
}
