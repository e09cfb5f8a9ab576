import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkEpochs, checkOffsetIndex, checkTimeIndex, scanSegment } from './segment-scan.ts'
import type { ScannedBatch } from './segment-scan.ts'

export interface ScannedReplica {
  readonly nodeId: number
  readonly batches: readonly ScannedBatch[]
  readonly problems: readonly string[]
}

const EPOCHS_FILE = 'leader-epoch-checkpoint'

/** Everything that one node has of one partition; the node must not run. */
export function scanReplica(nodeId: number, directory: string): ScannedReplica {
  const batches: ScannedBatch[] = []
  const problems: string[] = []
  if (!existsSync(directory)) return { nodeId, batches, problems: ['the directory is missing'] }
  for (const name of readdirSync(directory).filter((one) => one.endsWith('.log')).sort()) {
    const baseOffset = Number.parseInt(name, 10)
    const segment = scanSegment(readFileSync(join(directory, name)))
    const index = contentOf(join(directory, name.replace('.log', '.index')))
    const timeIndex = contentOf(join(directory, name.replace('.log', '.timeindex')))
    const found = [
      ...segment.problems, ...checkOffsetIndex(index, baseOffset, segment.batches), ...checkTimeIndex(timeIndex, baseOffset, segment.batches),
    ]
    problems.push(...found.map((problem) => `${name}: ${problem}`))
    const last = batches.at(-1)
    if (last !== undefined && segment.batches.length > 0 && segment.batches[0]!.baseOffset !== last.lastOffset + 1) problems.push(`${name}: follows offset ${last.lastOffset}`)
    batches.push(...segment.batches)
  }
  problems.push(...checkEpochs(contentOf(join(directory, EPOCHS_FILE)).toString(), batches))
  return { nodeId, batches, problems }
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
