import { parseArgs } from 'node:util'
import { nemesesNamed } from './nemeses/all-nemeses.ts'
import type { Nemesis } from './nemeses/nemesis.ts'

export interface ChaosSettings {
  readonly minutes: number
  readonly nemeses: readonly Nemesis[]
  readonly seed: number
  readonly nodes: number
  readonly partitions: number
  readonly everyMs: number
  readonly gapMsMax: number
  readonly overlap: number
  readonly topic: string
  readonly output: string
  readonly list: boolean
  /** Somebody's own cluster; null: start one. */
  readonly external: ExternalSettings | null
}

export interface ExternalSettings {
  readonly bootstrap: string
  readonly startCommand: string | null
  readonly stopCommand: string | null
  readonly killCommand: string | null
}

export const usage = `npm run chaos -- [options]
  --minutes N          how long to break things (default 2)
  --nemesis LIST       names and groups, separated by commas (default all; see --list)
  --seed S             the same seed chooses the same faults in the same order
  --nodes N            3 or 5 nodes of a cluster of our own (default 3)
  --partitions N       of the topic that is written (default 4)
  --every-ms N         average pause of each producer (default 60)
  --gap-max-ms N       longest time without a write that a single fault may cost (default 30000)
  --overlap SHARE      of the faults, from 0 to 1, during which a second one strikes (default 0.25; 0 on a cluster of yours)
  --output DIR         where verdict.txt, timeline.svg and history.jsonl go (default .cache/chaos)
  --list               which nemeses there are, and which can run here
Against a cluster of yours (a topic chaos-… is created and left there):
  --bootstrap HOST:PORT,…
  --stop-command CMD   {node} stands for a node's id
  --start-command CMD
  --kill-command CMD   a stop without mercy, if it differs`

/** Settings from the command line; throws with a sentence for the user. */
export function parseChaosOptions(args: readonly string[], now: () => number): ChaosSettings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '2' }, nemesis: { type: 'string', default: 'all' }, seed: { type: 'string' },
      nodes: { type: 'string', default: '3' }, partitions: { type: 'string', default: '4' }, 'every-ms': { type: 'string', default: '60' },
      'gap-max-ms': { type: 'string', default: '30000' }, overlap: { type: 'string' }, output: { type: 'string', default: '.cache/chaos' }, list: { type: 'boolean', default: false },
      bootstrap: { type: 'string' }, 'start-command': { type: 'string' }, 'stop-command': { type: 'string' }, 'kill-command': { type: 'string' },
    },
  })
  const seed = values.seed === undefined ? Math.floor(now()) % 2 ** 31 : positive('seed', values.seed)
  return {
    minutes: positive('minutes', values.minutes), nemeses: nemesesNamed(values.nemesis), seed, nodes: positive('nodes', values.nodes),
    partitions: positive('partitions', values.partitions), everyMs: positive('every-ms', values['every-ms']), gapMsMax: positive('gap-max-ms', values['gap-max-ms']),
    overlap: share('overlap', values.overlap ?? (values.bootstrap === undefined ? '0.25' : '0')),
    topic: values.bootstrap === undefined ? 'chaos' : `chaos-${seed}`, output: values.output, list: values.list,
    external: values.bootstrap === undefined ? null : {
      bootstrap: values.bootstrap, startCommand: values['start-command'] ?? null, stopCommand: values['stop-command'] ?? null, killCommand: values['kill-command'] ?? null,
    },
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new Error(`--${name} takes a number above 0, not ${text}`)
  return value
}

function share(name: string, text: string): number {
  const value = Number(text)
  if (!(value >= 0 && value <= 1)) throw new Error(`--${name} takes a number from 0 to 1, not ${text}`)
  return value
}
