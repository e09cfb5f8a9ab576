/** `max.connections`, `max.connections.per.ip` and its overrides: counts by address, refuses what is beyond. */
import { assert } from '@kavka/kernel'

export interface ConnectionLimitsOptions {
  readonly connectionsMax: number
  readonly connectionsPerIpMax: number
  /** `max.connections.per.ip.overrides`: address → limit. */
  readonly perIpOverrides: ReadonlyMap<string, number>
}

export class ConnectionLimits {
  #options: ConnectionLimitsOptions
  readonly #byAddress = new Map<string, number>()
  #total = 0

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options
  }

  get total(): number {
    return this.#total
  }

  reconfigure(options: ConnectionLimitsOptions): void {
    this.#options = options
  }

  /** Why one more connection from `address` is refused; null when it may come, and then it is counted. */
  admit(address: string, listener: { readonly isProtected: boolean }): string | null {
    const count = this.#byAddress.get(address) ?? 0
    const perIpMax = this.#options.perIpOverrides.get(address) ?? this.#options.connectionsPerIpMax
    if (count >= perIpMax) return `${address} has ${count} connections, max.connections.per.ip=${perIpMax}`
    // The listeners between nodes stay open to them however many clients there are.
    if (!listener.isProtected && this.#total >= this.#options.connectionsMax) {
      return `${this.#total} connections are open, max.connections=${this.#options.connectionsMax}`
    }
    this.#byAddress.set(address, count + 1)
    this.#total++
    return null
  }

  /** A connection that was admitted has ended. */
  release(address: string): void {
    const count = this.#byAddress.get(address) ?? 0
    assert(count > 0, 'a released connection was admitted', { address })
    if (count === 1) this.#byAddress.delete(address)
    else this.#byAddress.set(address, count - 1)
    this.#total--
  }
}

/** Parses `host:count,…` of `max.connections.per.ip.overrides`; entries that make no sense are left out. */
export function parsePerIpOverrides(text: string): Map<string, number> {
  const overrides = new Map<string, number>()
  for (const entry of text.split(',')) {
    const colon = entry.lastIndexOf(':')
    const count = Number(entry.slice(colon + 1))
    if (colon > 0 && Number.isInteger(count) && count >= 0) overrides.set(entry.slice(0, colon).trim(), count)
  }
  return overrides
}
