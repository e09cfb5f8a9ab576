/** Where Kavka prints something else than Kafka on purpose, and why. */
export interface Departure {
  readonly kafka: string
  readonly kavka: string
  readonly why: string
}

export const departures: readonly Departure[] = []
