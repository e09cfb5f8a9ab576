/**
 * Kafka's checkpoint files: a version line, a count line, then one entry a line of blank-separated fields.
 * Pure text in and out; who owns a file decides when it is written.
 */
import { failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import type { LeaderEpoch, Offset, TopicPartition } from '@kavka/protocol'
import type { EpochStart } from '../log/epochs/leader-epochs.ts'

const VERSION = '0'

export interface OffsetCheckpointEntry {
  readonly topicPartition: TopicPartition
  readonly offset: Offset
}

/** Offset checkpoints: `topic partition offset`. The error is a sentence without the file's name. */
export function parseOffsetCheckpoint(text: string): Result<OffsetCheckpointEntry[], string> {
  return parseEntries(text, 3, ([topic, partition, offset]) => {
    const entry = { topicPartition: { topic: topic!, partition: Number(partition) }, offset: Number(offset) as Offset }
    return isCount(entry.topicPartition.partition) && isCount(entry.offset) ? entry : null
  })
}

export function formatOffsetCheckpoint(entries: readonly OffsetCheckpointEntry[]): string {
  const lines = entries.map((entry) => `${entry.topicPartition.topic} ${entry.topicPartition.partition} ${entry.offset}\n`)
  return `${VERSION}\n${lines.length}\n${lines.join('')}`
}

/** `leader-epoch-checkpoint`: `epoch startOffset`, ascending. */
export function parseLeaderEpochs(text: string): Result<EpochStart[], string> {
  return parseEntries(text, 2, ([epoch, startOffset]) => {
    const entry = { epoch: Number(epoch) as LeaderEpoch, startOffset: Number(startOffset) as Offset }
    return isCount(entry.epoch) && isCount(entry.startOffset) ? entry : null
  })
}

export function formatLeaderEpochs(entries: readonly EpochStart[]): string {
  const lines = entries.map((entry) => `${entry.epoch} ${entry.startOffset}\n`)
  return `${VERSION}\n${lines.length}\n${lines.join('')}`
}

function parseEntries<T>(text: string, width: number, parse: (fields: string[]) => T | null): Result<T[], string> {
  if (text.length === 0) return success([])
  const lines = text.split('\n').filter((line, index) => index < 2 || line.trim().length > 0)
  if (lines[0]!.trim() !== VERSION) return failure(`its version line is "${lines[0]}", expected "${VERSION}"`)
  const count = Number((lines[1] ?? '').trim() || Number.NaN)
  if (!isCount(count)) return failure(`its count line is "${lines[1] ?? ''}"`)
  if (lines.length - 2 !== count) return failure(`it promises ${count} entries and holds ${lines.length - 2}`)
  const entries: T[] = []
  for (const line of lines.slice(2)) {
    const fields = line.trim().split(/\s+/)
    const entry = fields.length === width ? parse(fields) : null
    if (entry === null) return failure(`the line "${line}" is malformed`)
    entries.push(entry)
  }
  return success(entries)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
