/**
 * How fast a run lives. Most seeds are intense: something breaks or is asked every few milliseconds. But some things happen once a
 * minute, and only to processes that live so long: log starts are written down, files of the deleted go, offsets and groups expire.
 * In calm seeds clients take their time, and faults come in storms with rests between them.
 */
import type { Random } from '@kavka/kernel'

export interface Tempo {
  readonly kind: 'intense' | 'steady' | 'calm'
  /** How many times longer clients wait between two requests than they would in an intense run. */
  readonly paceFactor: number
  /** How long faults happen; null: as the seed chooses for intense runs. */
  readonly faultyMs: number | null
  /** Between two storms of faults nothing breaks for up to that long; 0: one storm that lasts the whole run. */
  readonly restMsMax: number
  /** Of records; null: for ever. */
  readonly retentionMs: number | null
}

const INTENSE: Tempo = { kind: 'intense', paceFactor: 1, faultyMs: null, restMsMax: 0, retentionMs: null }

export function chooseTempo(random: Random): Tempo {
  const die = random.unit()
  const length = random.unit()
  if (die < 0.65) return INTENSE
  if (die < 0.85) return { ...INTENSE, kind: 'steady', paceFactor: 4, faultyMs: 20_000 + 40_000 * length }
  return { kind: 'calm', paceFactor: 20, faultyMs: 90_000 + 240_000 * length, restMsMax: 45_000, retentionMs: random.unit() < 0.5 ? 20_000 : null }
}
