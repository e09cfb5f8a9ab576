/** Where a file is not what was written. */
export interface Damage {
  readonly at: number
  readonly reason: string
}
