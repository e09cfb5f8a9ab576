/** Looks at the records of a client's batch: structure, keys, timestamps. Pure; no object per record. */
import { openRecords } from '@kavka/protocol'
import type { RecordCursor, RecordFault } from '@kavka/protocol'
import type { BatchView } from './batch-view.ts'

/** Errors past this many say nothing new; a batch may hold millions of records. */
const RECORD_FAULTS_MAX = 1_000

export interface InspectionRules {
  /** Records without a key are faults (compacted topics). */
  readonly keys: 'required' | 'optional'
  /** Records outside are faults, those at -1 excepted; null where the broker sets the time. */
  readonly timestampBounds: { readonly fromMs: number; readonly toMs: number } | null
}

export interface FaultyRecord {
  readonly batchIndex: number
  readonly fault: 'no-key' | 'timestamp'
  readonly timestampMs: number
}

export type Inspection =
  | {
      readonly kind: 'well-formed'
      /** Largest record timestamp; -1 when there is none above. */
      readonly maxTimestampMs: number
      /** Offset deltas are 0, 1, 2 … */
      readonly offsetsSequential: boolean
      readonly faultyRecords: readonly FaultyRecord[]
    }
  | { readonly kind: 'malformed'; readonly fault: RecordFault }

export function inspectRecords(batch: BatchView, rules: InspectionRules): Inspection {
  const opened = openRecords(batch.buffer, batch.position)
  return opened.ok ? walk(opened.value, rules) : { kind: 'malformed', fault: opened.error }
}

function walk(cursor: RecordCursor, rules: InspectionRules): Inspection {
  const { timestampBounds } = rules
  const keysRequired = rules.keys === 'required'
  const fromMs = timestampBounds?.fromMs ?? -Infinity
  const toMs = timestampBounds?.toMs ?? Infinity
  const faultyRecords: FaultyRecord[] = []
  let maxTimestampMs = -1
  let offsetsSequential = true
  for (let batchIndex = 0; cursor.next(); batchIndex++) {
    if (cursor.offsetDelta !== batchIndex) offsetsSequential = false
    const timestampMs = cursor.timestamp
    if (timestampMs > maxTimestampMs) maxTimestampMs = timestampMs
    const isOutOfTime = (timestampMs < fromMs || timestampMs > toMs) && timestampMs !== -1
    const isWithoutKey = keysRequired && !cursor.hasKey
    if ((isOutOfTime || isWithoutKey) && faultyRecords.length < RECORD_FAULTS_MAX) {
      faultyRecords.push({ batchIndex, fault: isWithoutKey ? 'no-key' : 'timestamp', timestampMs })
    }
  }
  if (cursor.fault !== null) return { kind: 'malformed', fault: cursor.fault }
  return { kind: 'well-formed', maxTimestampMs, offsetsSequential, faultyRecords }
}
