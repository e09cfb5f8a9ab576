/**
 * The Huffman code of HPACK (RFC 7541 appendix B) for printable ASCII, which is all that gRPC allows in a header. The code is
 * canonical: codes count up through the symbols in order of length, so the lengths are the whole table.
 */

/** Symbols by the length of their code, in the order of their codes. */
const SYMBOLS: readonly (readonly [bits: number, symbols: string])[] = [
  [5, '012aceiost'],
  [6, ' %-./3456789=A_bdfghlmnpru'],
  [7, ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz'],
  [8, '&*,;XZ'],
  [10, '!"()?'],
  [11, '\'+|'],
  [12, '#>'],
  [13, '\0$@[]~'],
  [14, '^}'],
  [15, '<`{'],
  [19, '\\'],
]
const CODE_BITS_MAX = 19
const PADDING_BITS_MAX = 7

const symbolByCode = tableOf()

/** Null when the bytes are no such code, or stand for something else than printable ASCII. */
export function decodeHuffman(bytes: Buffer): string | null {
  let text = ''
  let code = 0
  let bits = 0
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1)
      if (++bits > CODE_BITS_MAX) return null
      const symbol = symbolByCode.get(keyOf(bits, code))
      if (symbol === undefined) continue
      text += symbol
      code = 0
      bits = 0
    }
  }
  const isPadding = bits <= PADDING_BITS_MAX && code === (1 << bits) - 1
  return isPadding ? text : null
}

function tableOf(): Map<number, string> {
  const table = new Map<number, string>()
  let code = 0
  let bitsBefore = 0
  for (const [bits, symbols] of SYMBOLS) {
    code <<= bits - bitsBefore
    bitsBefore = bits
    for (const symbol of symbols) table.set(keyOf(bits, code++), symbol)
  }
  return table
}

function keyOf(bits: number, code: number): number {
  return bits * 2 ** CODE_BITS_MAX + code
}
