import { parseArgs } from 'node:util'
import { sideTitles } from './clusters/compared-cluster.ts'
import type { Side } from './clusters/compared-cluster.ts'
import type { Measurement, Profile, Sizes } from './measurement.ts'

/** What the command line asks for. */
export interface CompareOptions {
  readonly action: 'measure' | 'report' | 'list' | 'help'
  readonly measurements: readonly Measurement[]
  readonly sides: readonly Side[]
  readonly rounds: number
  readonly directory: string
  readonly resume: boolean
  /** Sizes that were named; the others are those of the file that is continued, or the defaults. */
  readonly sizes: Partial<Sizes>
}

export const defaultSizes: Sizes = { megabytes: 300, warmMegabytes: 1000, seconds: 10, idleSeconds: 5, recoveryMegabytes: 10_000 }

const RECORD_BYTES = 1024
const SIDES = Object.keys(sideTitles) as Side[]
const PROFILES = ['quick', 'full', 'matrix'] as const

export const usage = `npm run bench:compare [-- OPTIONS]: Apache Kafka and Kavka by turns on this machine under the same load.
  --quick               the core rows, five rounds in about 20 minutes (--profile quick)
  --profile NAME        quick, full (default), or matrix: every combination of the produce measurements too
  --only NAME,NAME      these measurements only; a * at the end stands for any rest within the profile
  --sides NAME,NAME     some of kafka, kafka-quick-start and kavka (default all)
  --rounds N            default 5
  --megabytes N         what a produce measurement moves (default ${defaultSizes.megabytes}); --records N: the same in records of 1 KiB
  --warm-megabytes N    one step of the warm-up, which ends when steps get no cheaper (default ${defaultSizes.warmMegabytes})
  --seconds N           how long a steady rate is held (default ${defaultSizes.seconds})
  --idle-seconds N      how long idling is measured (default ${defaultSizes.idleSeconds})
  --recovery-megabytes N  what is recovered after a kill (default ${defaultSizes.recoveryMegabytes})
  --out DIR             where results.jsonl, comparison.md and comparison.svg go (default .cache/compare)
  --resume              go on with the results in DIR: what is in them is not measured again
  --report              measure nothing; write the results in DIR into docs/performance.md and docs/performance.svg
  --list                name the measurements`

/** Throws with a sentence when the arguments make no sense. */
export function parseCompareOptions(args: readonly string[], all: readonly Measurement[], defaultDirectory: string): CompareOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false }, profile: { type: 'string' }, only: { type: 'string' }, sides: { type: 'string' }, rounds: { type: 'string', default: '5' },
      megabytes: { type: 'string' }, records: { type: 'string' }, 'warm-megabytes': { type: 'string' }, seconds: { type: 'string' },
      'idle-seconds': { type: 'string' }, 'recovery-megabytes': { type: 'string' }, out: { type: 'string', default: defaultDirectory },
      resume: { type: 'boolean', default: false }, report: { type: 'boolean', default: false }, list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.megabytes !== undefined && values.records !== undefined) throw new Error('--megabytes and --records say the same: give one')
  const records = positive('records', values.records)
  const megabytes = records === undefined ? positive('megabytes', values.megabytes) : (records * RECORD_BYTES) / 1e6
  const profile = profileOf(values.profile ?? (values.quick ? 'quick' : 'full'))
  return {
    action: values.help ? 'help' : values.list ? 'list' : values.report ? 'report' : 'measure',
    measurements: values.only === undefined ? ofProfile(all, profile) : chosen(all, profile, values.only),
    sides: values.sides === undefined ? SIDES : values.sides.split(',').map(sideOf),
    rounds: positive('rounds', values.rounds)!,
    directory: values.out,
    resume: values.resume,
    sizes: given({
      megabytes, warmMegabytes: positive('warm-megabytes', values['warm-megabytes']), seconds: positive('seconds', values.seconds),
      idleSeconds: positive('idle-seconds', values['idle-seconds']), recoveryMegabytes: positive('recovery-megabytes', values['recovery-megabytes']),
    }),
  }
}

/** The sizes to measure with; throws when a comparison that is continued had others. */
export function effectiveSizes(asked: Partial<Sizes>, continued: Sizes | null): Sizes {
  const sizes = { ...defaultSizes, ...continued, ...asked }
  if (continued === null) return sizes
  const changed = (Object.keys(sizes) as (keyof Sizes)[]).filter((key) => sizes[key] !== continued[key])
  if (changed.length > 0) {
    throw new Error(`the results that are continued were measured with ${changed.map((key) => `${key} ${continued[key]}`).join(', ')}; use another --out`)
  }
  return sizes
}

function profileOf(name: string): Profile {
  const profile = PROFILES.find((one) => one === name)
  if (profile === undefined) throw new Error(`--profile is one of ${PROFILES.join(', ')}`)
  return profile
}

function sideOf(name: string): Side {
  const side = SIDES.find((one) => one === name)
  if (side === undefined) throw new Error(`--sides are of ${SIDES.join(', ')}`)
  return side
}

function ofProfile(all: readonly Measurement[], profile: Profile): Measurement[] {
  return all.filter((one) => PROFILES.indexOf(one.profile) <= PROFILES.indexOf(profile))
}

function chosen(all: readonly Measurement[], profile: Profile, only: string): Measurement[] {
  const patterns = only.split(',').map((pattern) => pattern.trim()).filter((pattern) => pattern !== '')
  for (const pattern of patterns) {
    if (!all.some(({ name }) => matches(name, pattern))) throw new Error(`no measurement is called ${pattern} (see --list)`)
  }
  const ofAny = ofProfile(all, profile)
  return all.filter((one) => patterns.some((pattern) => one.name === pattern || (ofAny.includes(one) && matches(one.name, pattern))))
}

function matches(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new Error(`--${name} is a number above zero`)
  return value
}

function given(sizes: { readonly [Key in keyof Sizes]: Sizes[Key] | undefined }): Partial<Sizes> {
  return Object.fromEntries(Object.entries(sizes).filter(([, value]) => value !== undefined))
}
