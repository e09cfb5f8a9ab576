import { crc32c } from '@kavka/protocol'

const MASK_DELTA = 0xa282ead8

/** LevelDB's form of a CRC-32C: rotated and shifted, so that checksums of data that holds checksums do not fall together. */
export function maskedCrc32c(bytes: Buffer): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
}
