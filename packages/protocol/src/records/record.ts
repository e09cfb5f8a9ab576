/** A header of a record; the same key may stand several times. */
export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

/**
 * A record as it stands in the log, its positions absolute. Key and value are views into the batch where it
 * is not compressed.
 */
export interface LogRecord {
  readonly offset: number
  /** Milliseconds since the epoch; -1 when there is none. The append time where the batch says so. */
  readonly timestamp: number
  /** -1 without an idempotent producer. */
  readonly sequence: number
  readonly key: Buffer | null
  /** Null is a tombstone on compacted topics. */
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export const NO_HEADERS: readonly RecordHeader[] = []
