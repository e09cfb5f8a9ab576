/** Where this implementation answers otherwise than Apache Kafka on purpose, and why. Golden tests read their exceptions here. */

interface CorruptDeparture {
  readonly ours: { readonly ok: string } | { readonly errorCode: number }
  readonly reason: string
}

/** By `case layer` of corrupt-batches.jsonl. */
export const CORRUPT_DEPARTURES: ReadonlyMap<string, CorruptDeparture> = new Map<string, CorruptDeparture>([])
