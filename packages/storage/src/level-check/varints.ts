/** LevelDB's variable-length numbers: seven bits a byte, the lowest first. */
export interface Cursor {
  readonly bytes: Buffer
  at: number
}

/** -1 for a number that does not end. */
export function takeVarint(cursor: Cursor): number {
  let value = 0
  for (let shift = 0; shift < 63; shift += 7) {
    const byte = cursor.bytes[cursor.at++]
    if (byte === undefined) return -1
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return value
  }
  return -1
}

/** Passes over bytes that stand behind their length. */
export function takeBytes(cursor: Cursor): void {
  const length = takeVarint(cursor)
  cursor.at += Math.max(0, length)
}
