/** Zigzag varints in record bytes: writing into a buffer that is known to be large enough. */

export function varintBytes(value: number): number {
  return unsignedBytes(((value << 1) ^ (value >> 31)) >>> 0)
}

export function varlongBytes(value: number): number {
  if (isInt31(value)) return varintBytes(value)
  const zigzag = value < 0 ? -2 * value - 1 : 2 * value
  let bytes = 1
  for (let rest = Math.floor(zigzag / 128); rest > 0; rest = Math.floor(rest / 128)) bytes++
  return bytes
}

function unsignedBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  return value < 0x1000_0000 ? 4 : 5
}

/** Returns the position after the varint. */
export function putVarint(buffer: Buffer, at: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  let position = at
  while (rest > 0x7f) {
    buffer[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[position++] = rest
  return position
}

/** Any safe integer. */
export function putVarlong(buffer: Buffer, at: number, value: number): number {
  if (isInt31(value)) return putVarint(buffer, at, value)
  const exact = BigInt(value)
  let rest = BigInt.asUintN(64, (exact << 1n) ^ (exact >> 63n))
  let position = at
  while (rest > 0x7fn) {
    buffer[position++] = Number(rest & 0x7fn) | 0x80
    rest >>= 7n
  }
  buffer[position++] = Number(rest)
  return position
}

function isInt31(value: number): boolean {
  return value >= -0x4000_0000 && value < 0x4000_0000
}
