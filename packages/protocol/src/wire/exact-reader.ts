import { Reader } from './reader.ts'

/**
 * Reads every int64: those beyond the safe integers come out as bigint, though typed number (the cast is the
 * price
 * of one set of generated codecs). For tools and tests that must not lose a bit; Writer takes both.
 */
export class ExactReader extends Reader {
  protected override unsafeInt64(high: number, low: number): number {
    return ((BigInt(high) << 32n) | BigInt(low)) as unknown as number
  }
}
