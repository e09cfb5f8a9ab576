/** Where Kavka prints something else than Kafka on purpose, and why. */
export interface Departure {
  readonly kafka: string
  readonly kavka: string
  readonly why: string
}

export const departures: readonly Departure[] = [
  {
    kafka: ' because only 3 broker(s) are registered or some brokers have all their log directories cordoned.',
    kavka: ' because only 3 broker(s) are registered.',
    why: 'Kavka has no cordoned log directories',
  },
]
