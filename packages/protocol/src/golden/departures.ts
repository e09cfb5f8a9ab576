/**
 * Where this implementation answers otherwise than Apache Kafka on purpose, and why. Golden tests read their
 * exceptions here; the others are departures that no golden case shows.
 */

interface CorruptDeparture {
  readonly ours: { readonly ok: string } | { readonly errorCode: number }
  readonly reason: string
}

/** By `case layer` of corrupt-batches.jsonl. None: every layer gives Kafka's verdict. */
export const CORRUPT_DEPARTURES: ReadonlyMap<string, CorruptDeparture> = new Map<string, CorruptDeparture>([])

/** Departures in the reading of messages, each with the test that shows it. */
export const MESSAGE_DEPARTURES: readonly { readonly what: string; readonly reason: string }[] = [
  {
    what: 'int64 beyond the safe integers ends in DecodeError',
    reason:
      'offsets, timestamps and ids are numbers inside; rounding one silently would be worse than closing the connection',
  },
  {
    what: 'a known tagged field must fill its declared size; an unknown tag may not stand twice',
    reason: 'Kafka reads on at the wrong place; nothing that was encoded properly is affected',
  },
  {
    what: 'at most 64 unknown tagged fields and 128 KiB of them in a struct, 4 million array elements in a frame',
    reason: 'bounds what one frame can make the decoder allocate',
  },
  {
    what: 'lengths and counts below -1 are errors where Kafka takes them for null',
    reason: 'no encoder writes them',
  },
  {
    what: 'the default of FetchRequest.highWatermark, 2^63 - 1, is the double 2^63',
    reason:
      'it is only compared with; written explicitly it would be refused as unsafe, and Kafka never writes a default',
  },
]
