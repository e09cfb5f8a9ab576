/**
 * Snappy as Kafka's clients write it: the framing of the Java library xerial (header, then blocks of int32
 * length and
 * raw snappy), or, from some other clients, one raw block without any framing.
 */
import { failure, success } from '@kavka/kernel'
import { compressSync, uncompressSync } from 'snappy'
import { tooLarge, undecodable } from '../record-fault.ts'
import type { Decompressed, DecompressOptions } from './codec.ts'

const MAGIC = Buffer.from('82534e4150505900', 'hex')
/** Magic, version 1, compatible with version 1. */
const HEADER = Buffer.from('82534e41505059000000000100000001', 'hex')
const BLOCK_BYTES = 32 * 1024

export function snappyCompress(data: Buffer): Buffer {
  const pieces: Buffer[] = [HEADER]
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    const block = compressSync(data.subarray(at, at + BLOCK_BYTES))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    pieces.push(length, block)
  }
  return Buffer.concat(pieces)
}

export function snappyDecompress(data: Buffer, options: DecompressOptions): Decompressed {
  if (data.length === 0) return failure(undecodable('Cannot decompress an empty snappy stream'))
  const framed = data.length >= HEADER.length && data.subarray(0, MAGIC.length).equals(MAGIC)
  return framed ? readBlocks(data, options) : readBlock(data, options.decompressedBytesMax)
}

function readBlocks(data: Buffer, options: DecompressOptions): Decompressed {
  const pieces: Buffer[] = []
  let left = options.decompressedBytesMax
  for (let at = HEADER.length; at < data.length;) {
    const start = at + 4
    const length = start <= data.length ? data.readInt32BE(at) : -1
    if (length < 0 || length > data.length - start) return failure(undecodable('Snappy stream is cut off'))
    const block = readBlock(data.subarray(start, start + length), left)
    if (!block.ok) return block
    pieces.push(block.value)
    left -= block.value.length
    at = start + length
  }
  return success(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
}

/** A raw block says its size first, so that a bomb is known before it is unpacked. */
function readBlock(block: Buffer, bytesMax: number): Decompressed {
  const size = declaredBytes(block)
  if (size === null) return failure(undecodable('Snappy block without a size'))
  if (size > bytesMax) return failure(tooLarge('snappy data grows beyond what is allowed'))
  try {
    return success(uncompressSync(block, { asBuffer: true }) as Buffer)
  } catch (error) {
    return failure(undecodable(`Failed to decompress snappy data: ${(error as Error).message}`))
  }
}

function declaredBytes(block: Buffer): number | null {
  let size = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index]
    if (byte === undefined) return null
    size += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return size
  }
  return null
}
