/**
 * The LZ4 frame layer around raw blocks, as Kafka's own stream classes write and read it: independent blocks
 * of
 * 64 KiB, no content checksum, bytes after the end mark ignored. Magic 0 message sets carry a header checksum
 * that
 * old clients computed wrongly, so there it is not looked at.
 */
import { failure, success } from '@kavka/kernel'
import { compressSync, uncompressSync } from 'lz4-napi'
import { tooLarge, undecodable } from '../record-fault.ts'
import type { Decompressed, DecompressOptions } from './codec.ts'
import { xxHash32 } from './xxhash32.ts'

const MAGIC = 0x184d2204
const MAGIC_BYTES = 4
/** Magic, version 1 with independent blocks, 64 KiB blocks, checksum of the two. */
const HEADER = Buffer.from('04224d18604082', 'hex')
const END_MARK = Buffer.alloc(4)
const BLOCK_BYTES = 64 * 1024
/** Set in a block's size when the block is stored as it is. */
const STORED_BIT = 0x8000_0000
/** lz4-napi puts the uncompressed size before a raw block, and wants it there. */
const SIZE_PREFIX_BYTES = 4
/** A byte of an LZ4 block stands for at most this many. */
const RATIO_MAX = 255
const RATIO_SLACK_BYTES = 64

export function lz4Compress(data: Buffer): Buffer {
  const pieces: Buffer[] = [HEADER]
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    const plain = data.subarray(at, at + BLOCK_BYTES)
    const packed = compressSync(plain).subarray(SIZE_PREFIX_BYTES)
    const stored = packed.length >= plain.length
    const size = Buffer.allocUnsafe(4)
    size.writeUInt32LE(stored ? plain.length + STORED_BIT : packed.length)
    pieces.push(size, stored ? plain : packed)
  }
  pieces.push(END_MARK)
  return Buffer.concat(pieces)
}

export interface Lz4Options extends DecompressOptions {
  readonly headerChecksum: 'verify' | 'ignore'
}

export function lz4Decompress(data: Buffer, options: Lz4Options): Decompressed {
  const header = readHeader(data, options)
  return typeof header === 'string' ? failure(undecodable(header)) : readBlocks(data, header, options)
}

interface FrameHeader {
  readonly blocksAt: number
  readonly blockBytesMax: number
  readonly blockChecksums: boolean
}

/** The header, or what is wrong with it. */
function readHeader(data: Buffer, options: Lz4Options): FrameHeader | string {
  if (data.length < HEADER.length) return 'LZ4 stream ended prematurely'
  if (data.readUInt32LE(0) !== MAGIC) return 'LZ4 stream with invalid magic bytes'
  const flags = data[4]!
  const sizes = data[5]!
  const contentSizeBytes = (flags & 0x08) !== 0 ? 8 : 0
  const checksumAt = MAGIC_BYTES + 2 + contentSizeBytes
  if (flags >>> 6 !== 1 || (flags & 0x03) !== 0) return 'LZ4 frame of an unknown version'
  if ((flags & 0x20) === 0) return 'LZ4 frame with dependent blocks is not supported'
  if ((sizes & 0x8f) !== 0 || sizes >>> 4 < 4) return 'LZ4 frame with an invalid block size'
  if (data.length <= checksumAt) return 'LZ4 stream ended prematurely'
  const checksum = (xxHash32(data.subarray(MAGIC_BYTES, checksumAt)) >>> 8) & 0xff
  if (options.headerChecksum === 'verify' && checksum !== data[checksumAt])
    return 'LZ4 frame descriptor corrupted'
  return {
    blocksAt: checksumAt + 1,
    blockBytesMax: 2 ** (2 * (sizes >>> 4) + 8),
    blockChecksums: (flags & 0x10) !== 0,
  }
}

function readBlocks(data: Buffer, header: FrameHeader, options: Lz4Options): Decompressed {
  const pieces: Buffer[] = []
  let left = options.decompressedBytesMax
  for (let at = header.blocksAt; ;) {
    if (data.length - at < 4) return failure(undecodable('LZ4 stream ended prematurely'))
    const word = data.readUInt32LE(at)
    if (word === 0) return success(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
    const size = word % STORED_BIT
    const start = at + 4
    const end = start + size
    if (size > header.blockBytesMax)
      return failure(undecodable(`LZ4 block size ${size} exceeded max: ${header.blockBytesMax}`))
    if (end + (header.blockChecksums ? 4 : 0) > data.length)
      return failure(undecodable('LZ4 stream ended prematurely'))
    const block = data.subarray(start, end)
    if (header.blockChecksums && xxHash32(block) !== data.readUInt32LE(end))
      return failure(undecodable('LZ4 block corrupted'))
    const plain = word >= STORED_BIT ? success(block) : unpackBlock(block, header.blockBytesMax)
    if (!plain.ok) return plain
    if (plain.value.length > left)
      return failure(tooLarge(`lz4 data grows beyond ${options.decompressedBytesMax} bytes`))
    left -= plain.value.length
    pieces.push(plain.value)
    at = header.blockChecksums ? end + 4 : end
  }
}

/**
 * The size of the plain block is not known: the largest one is offered, the library returns what came out. It
 * sets
 * that much aside, so many tiny blocks that each claim to be large must not be believed.
 */
function unpackBlock(block: Buffer, blockBytesMax: number): Decompressed {
  const prefixed = Buffer.allocUnsafe(SIZE_PREFIX_BYTES + block.length)
  prefixed.writeUInt32LE(Math.min(blockBytesMax, block.length * RATIO_MAX + RATIO_SLACK_BYTES))
  block.copy(prefixed, SIZE_PREFIX_BYTES)
  try {
    return success(uncompressSync(prefixed))
  } catch (error) {
    return failure(undecodable(`Failed to decompress lz4 data: ${(error as Error).message}`))
  }
}
