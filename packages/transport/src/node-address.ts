/** Where another node listens. */
export interface NodeAddress {
  readonly host: string
  readonly port: number
}
