/** What the log of one replica shows by itself: dense offsets, and what it has derived from its batches. */
import { sequenceAfter } from '@kavka/protocol'
import type { PartitionLog } from '@kavka/storage'
import type { ObservedReplica } from '../../node/observed-logs.ts'
import { isSameBatch } from '../../node/shadow-log.ts'
import type { World } from '../../world/world.ts'
import type { Remains } from './kept-on-disk.ts'

/** S2: recovery gives back all that had been promised durable. */
export function recoveryKeepsSynced(world: World, replica: ObservedReplica, remains: Remains): void {
  const { shadow, log, nodeId } = replica
  world.probes.hit('log recovered after a crash')
  if ((remains.batches.at(-1)?.last ?? -1) >= shadow.end) world.probes.hit('unsynced tail lost')
  for (const batch of remains.batches) {
    if (batch.last >= remains.durableEnd || batch.last < log.logStartOffset) continue
    const found = shadow.batches[shadow.indexOf(batch.base)]
    world.judge('S2 RecoveryKeepsSynced', isSameBatch(batch, found), { node: nodeId, partition: nameOf(replica), base: batch.base, durableEnd: remains.durableEnd, end: shadow.end })
  }
}

/** P13, from the batch at the index `from` on. */
export function offsetDensity(world: World, { nodeId, shadow, log, topicPartition }: ObservedReplica, from: number): void {
  for (let at = Math.max(1, from); at < shadow.batches.length; at++) {
    const [previous, batch] = [shadow.batches[at - 1]!, shadow.batches[at]!]
    const details = { node: nodeId, partition: `${topicPartition.topic}-${topicPartition.partition}`, base: batch.base, previous: previous.last }
    world.judge('P13 OffsetDensity', batch.base === previous.last + 1 && batch.epoch >= previous.epoch, details)
  }
  if (shadow.batches.length > 0) world.judge('P13 OffsetDensity', shadow.end === log.logEndOffset, { node: nodeId, end: shadow.end, log: log.logEndOffset })
}

/** Replication does not see where its files begin. */
interface SegmentedLog extends PartitionLog {
  readonly firstSegmentOffset: number
}

/** P13: what a log can be asked for begins in its files; an append takes nothing away. */
export function filesReachLogStart(world: World, replica: ObservedReplica): void {
  const { firstSegmentOffset, logStartOffset } = replica.log as SegmentedLog
  world.judge('P13 OffsetDensity', firstSegmentOffset <= logStartOffset, { node: replica.nodeId, directory: replica.log.directory, firstSegmentOffset, logStartOffset })
}

/** Below its log start it still holds batches, whose producers it must know. */
export function startsInsideSegment({ log }: ObservedReplica): boolean {
  return (log as SegmentedLog).firstSegmentOffset < log.logStartOffset
}

/** P11: the cache of leader epochs says what the batches say. */
export function epochCache(world: World, { shadow, log, nodeId, topicPartition }: ObservedReplica, logStart: number): void {
  const { batches } = shadow
  for (let at = 0; at + 1 < batches.length; at++) {
    if (batches[at]!.epoch === batches[at + 1]!.epoch || batches[at]!.last < Math.max(log.logStartOffset, logStart)) continue
    const found = log.endOffsetForEpoch(batches[at]!.epoch as never)
    const expected = batches[at + 1]!.base
    const details = { node: nodeId, partition: topicPartition.partition, epoch: batches[at]!.epoch, found: found?.endOffset ?? null, expected }
    world.judge('P11 EpochCache', found?.epoch === batches[at]!.epoch && found.endOffset === batches[at + 1]!.base, details)
  }
}

/** T2: what the log knows of its producers is what its batches say, also those below a log start that may fall back. */
export function producerState(world: World, { shadow, log, nodeId, topicPartition }: ObservedReplica): void {
  const expected = new Map<number, number>()
  const { firstSegmentOffset } = log as SegmentedLog
  for (const batch of shadow.batches) {
    if (batch.producerId >= 0 && batch.base >= firstSegmentOffset) expected.set(batch.producerId, sequenceAfter(batch.baseSequence, batch.count - 1))
  }
  const known = new Map(log.activeProducers.map(({ producerId, lastSequence }) => [producerId, lastSequence]))
  for (const [producerId, sequence] of expected) {
    world.judge('T2 ProducerState', known.get(producerId) === sequence, { node: nodeId, partition: `${topicPartition.topic}-${topicPartition.partition}`, producerId, sequence, known: known.get(producerId) ?? null })
  }
}

/** `topic-partition`, for what a failure says. */
export function nameOf({ topicPartition }: ObservedReplica): string {
  return `${topicPartition.topic}-${topicPartition.partition}`
}
