import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FlippedBit } from '../nemeses/bit-flips.ts'
import { checkEpochs, checkOffsetIndex, checkTimeIndex, scanSegment } from './segment-scan.ts'
import type { ScannedBatch } from './segment-scan.ts'

export interface ScannedReplica {
  readonly nodeId: number
  readonly batches: readonly ScannedBatch[]
  readonly problems: readonly string[]
  /** Of the bits that were turned around on purpose, those that are as they were left: nobody has read them since. */
  readonly unread: number
}

const EPOCHS_FILE = 'leader-epoch-checkpoint'

/**
 * Everything that one node has of one partition; the node must not run. A bit that was turned around at rest (`rot`, by file name) and that
 * nobody has read since is read as it was: exactly that bit, and only where something is wrong with it.
 */
export function scanReplica(nodeId: number, directory: string, rot: ReadonlyMap<string, readonly FlippedBit[]> = new Map()): ScannedReplica {
  const batches: ScannedBatch[] = []
  const problems: string[] = []
  if (!existsSync(directory)) return { nodeId, batches, problems: ['the directory is missing'], unread: 0 }
  let unread = 0
  for (const name of readdirSync(directory).filter((one) => one.endsWith('.log')).sort()) {
    const segment = scanWithIndexes(directory, name, rot)
    unread += segment.unread
    problems.push(...segment.problems.map((problem) => `${name}: ${problem}`))
    const last = batches.at(-1)
    if (last !== undefined && segment.batches.length > 0 && segment.batches[0]!.baseOffset !== last.lastOffset + 1) problems.push(`${name}: follows offset ${last.lastOffset}`)
    batches.push(...segment.batches)
  }
  problems.push(...checkEpochs(contentOf(join(directory, EPOCHS_FILE)).toString(), batches))
  return { nodeId, batches, problems, unread }
}

type Scanned = Pick<ScannedReplica, 'batches' | 'problems' | 'unread'>

function scanWithIndexes(directory: string, name: string, rot: ReadonlyMap<string, readonly FlippedBit[]>): Scanned {
  const baseOffset = Number.parseInt(name, 10)
  const segment = scanned(directory, name, rot, scanSegment)
  const index = scanned(directory, name.replace('.log', '.index'), rot, (bytes) => ({ batches: [], problems: checkOffsetIndex(bytes, baseOffset, segment.batches) }))
  const timeIndex = scanned(directory, name.replace('.log', '.timeindex'), rot, (bytes) => ({ batches: [], problems: checkTimeIndex(bytes, baseOffset, segment.batches) }))
  const unread = segment.unread + index.unread + timeIndex.unread
  return { batches: segment.batches, problems: [...segment.problems, ...index.problems, ...timeIndex.problems], unread }
}

function scanned(
  directory: string,
  name: string,
  rot: ReadonlyMap<string, readonly FlippedBit[]>,
  scan: (bytes: Buffer) => Pick<ScannedReplica, 'batches' | 'problems'>,
): Scanned {
  const bytes = contentOf(join(directory, name))
  let result: Scanned = { ...scan(bytes), unread: 0 }
  for (const { at, mask } of rot.get(name) ?? []) {
    if (result.problems.length === 0 || at >= bytes.length) continue
    bytes[at]! ^= mask
    const undone = scan(bytes)
    if (undone.problems.length < result.problems.length) result = { ...undone, unread: result.unread + 1 }
    else bytes[at]! ^= mask
  }
  return result
}

/** Where replicas differ below `end`, which all of them must have. */
export function compareReplicas(key: string, replicas: readonly ScannedReplica[], end: number): string[] {
  const [first, ...others] = replicas.map((replica) => ({ ...replica, batches: replica.batches.filter(({ baseOffset }) => baseOffset < end) }))
  if (first === undefined) return []
  const short = [first, ...others].filter(({ batches }) => (batches.at(-1)?.lastOffset ?? -1) + 1 < end)
    .map(({ nodeId, batches }) => `${key}: node ${nodeId} ends at ${(batches.at(-1)?.lastOffset ?? -1) + 1}, the others at ${end}`)
  return [...short, ...others.flatMap((other) => differences(key, first, other))]
}

function differences(key: string, a: ScannedReplica, b: ScannedReplica): string[] {
  const length = Math.min(a.batches.length, b.batches.length)
  for (let index = 0; index < length; index++) {
    const one = a.batches[index]!
    const other = b.batches[index]!
    if (one.hash === other.hash) continue
    return [`${key}: nodes ${a.nodeId} and ${b.nodeId} differ from offset ${Math.min(one.baseOffset, other.baseOffset)} (epochs ${one.leaderEpoch} and ${other.leaderEpoch})`]
  }
  return []
}

function contentOf(file: string): Buffer {
  return existsSync(file) ? readFileSync(file) : Buffer.alloc(0)
}
