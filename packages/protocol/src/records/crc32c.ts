import { crc32c as nativeCrc32c } from '@node-rs/crc32'

/** CRC-32C (Castagnoli), the checksum of record batches and of LevelDB; unsigned. */
export function crc32c(bytes: Buffer): number {
  return nativeCrc32c(bytes)
}
