/** Signed 64-bit integers as numbers: exact within ±2^53, which every offset and every sane timestamp is. */

const TWO_TO_32 = 2 ** 32

export function readInt64(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * TWO_TO_32 + buffer.readUInt32BE(position + 4)
}

export function writeInt64(buffer: Buffer, value: number, position: number): void {
  const high = Math.floor(value / TWO_TO_32)
  buffer.writeInt32BE(high, position)
  buffer.writeUInt32BE(value - high * TWO_TO_32, position + 4)
}
