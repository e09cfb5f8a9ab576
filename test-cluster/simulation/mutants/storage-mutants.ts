/** Planted bugs: the log and the files beside it. */
import type { Mutant } from './mutant.ts'

const replication = 'packages/replication/src'
const storage = 'packages/storage/src'
const kernel = 'packages/kernel/src'

export const storageMutants: readonly Mutant[] = [
  { name: 'a window of two batches', file: `${storage}/log/producers/producer-state.ts`, find: 'const BATCHES_KEPT_MAX = 5', replace: 'const BATCHES_KEPT_MAX = 2' },
  { name: 'a window of four batches', file: `${storage}/log/producers/producer-state.ts`, find: 'const BATCHES_KEPT_MAX = 5', replace: 'const BATCHES_KEPT_MAX = 4' },
  { name: 'sequences are not checked', file: `${storage}/log/producers/producer-state.ts`, find: 'if (batch.firstSequence === sequenceAfter(lastSequence, 1)) return null', replace: 'if (batch.firstSequence >= 0) return null' },
  { name: 'duplicates are not recognized', file: `${storage}/log/producers/producer-state.ts`, find: 'return entry.batches.find(isSame) ?? null', replace: 'return entry.batches.find((kept) => isSame(kept) && kept.lastOffset < 0) ?? null' },
  { name: 'producer state starts empty from a snapshot', file: `${storage}/log/producers/producer-state.ts`, find: 'for (const entry of entries) this.#producers.set(entry.producerId, entry)', replace: 'for (const entry of entries) if (entry.producerId < 0) this.#producers.set(entry.producerId, entry)' },
  {
    // The follower takes only what continues its log, the log skips what it has, and refuses what overlaps: three answers to one question.
    name: 'a follower appends batches it already has', takes: 'leader-hears-late', file: `${storage}/log/append/follower-batches.ts`,
    find: 'if (previousEnd > log.logEndOffset) batches.push(batch)', replace: 'batches.push(batch)',
    also: [
      { file: `${storage}/log/append/follower-batches.ts`, find: 'if (first !== undefined && first.baseOffset < log.logEndOffset &&', replace: 'if (first !== undefined && first.baseOffset < 0 &&' },
      { file: 'packages/replication/src/core/follower-state.ts', find: 'if (frame.baseOffset !== log.logEndOffset) {', replace: 'if (frame.baseOffset > log.logEndOffset) {' },
    ],
  },
  {
    name: 'an older epoch of a producer is taken', file: `${storage}/log/producers/producer-state.ts`,
    find: '    if (entry === undefined || batch.producerEpoch >= entry.producerEpoch) return null\n', replace: '    if (entry === undefined || batch.producerEpoch >= 0) return null\n',
  },
  {
    name: 'the mark of a clean stop outlives the start', file: `${storage}/manager/log-manager.ts`,
    find: '        removeCleanShutdown(this.#fs, store.directory.path)\n', replace: '',
  },
  {
    name: 'the mark of a clean stop is written before logs are closed', proves: 'C7 UncleanExclusion', file: `${storage}/manager/log-manager.ts`,
    find: '    const unclean = new Set<LogDirectoryStore>()\n',
    replace: '    const unclean = new Set<LogDirectoryStore>()\n    for (const store of this.#stores) this.#closeStore(store, brokerEpoch)\n',
  },
  {
    name: 'a truncation forgets who wrote below the log start', proves: 'T2 ProducerState', takes: 'successor-lacks-tail', file: `${storage}/log/recovery/log-truncation.ts`,
    find: 'log.snapshots.load(log.producers, log.segments.first.baseOffset, log.logEndOffset)', replace: 'log.snapshots.load(log.producers, log.logStartOffset, log.logEndOffset)',
  },
  {
    name: 'a failed sync is taken for done', proves: 'S5 NoAckAfterFailedSync', takes: 'sync-error', file: `${storage}/log/sync/log-writer.ts`,
    find: '    return Promise.all(syncs)\n', replace: '    return Promise.allSettled(syncs)\n',
  },
  {
    name: 'rot is cut like a torn tail', proves: 'S3 RotIsNotCut', file: `${storage}/log/recovery/recovery-plan.ts`,
    find: "  if (nextOffset >= recoveryPoint) return { kind: 'cut' }\n", replace: "  if (nextOffset >= 0) return { kind: 'cut' }\n",
  },
  {
    name: 'a damaged log that may be elected is emptied', proves: 'S3 RotIsNotCut', takes: 'rot-before-election', file: `${replication}/partition/replica-health.ts`,
    find: '    if (isr.includes(this.#localId) || elr.includes(this.#localId)) return false\n    return directoryOf(registration, this.#localId) === LOST_DIRECTORY && followed !== leaderEpoch',
    replace: '    return isr.length + elr.length >= 0 && followed !== leaderEpoch',
  },
  {
    name: 'an index entry names the first offset of its batch', proves: 'S4 IndexesAreOfTheLog', file: `${storage}/log/segment/segment.ts`,
    find: '      offsets.append(lastOffset, this.#sizeBytes)\n', replace: '      offsets.append(batch.baseOffset, this.#sizeBytes)\n',
  },
  {
    name: 'the last timestamp of a segment is not noted', proves: 'S4 IndexesAreOfTheLog', file: `${storage}/log/segment/segment.ts`,
    find: '    const before = times.count\n    times.maybeAppend(timestampMs, offset)\n', replace: '    const before = times.count + 0 * (timestampMs + offset)\n',
  },
  {
    name: 'indexes in memory are not cut with the log', proves: 'S4 IndexesAreOfTheLog', takes: 'successor-lacks-tail', file: `${storage}/log/segment/segment.ts`,
    find: '    offsets.truncateToCount(count)\n', replace: '    offsets.truncateToCount(Math.max(count, offsets.count - 1))\n',
  },
  {
    name: 'a segment that holds the time is passed over', proves: 'S4 TimestampFound', file: `${storage}/log/read/log-lookup.ts`,
    find: '    if (segment.largestTimestamp.timestampMs < timestampMs) continue\n', replace: '    if (segment.largestTimestamp.timestampMs <= timestampMs + 1_000) continue\n',
  },
  {
    name: 'a file is put in its place before it is synced', proves: 'S8 MetaFilesReplacedWhole', file: `${kernel}/file-system.ts`,
    find: '    file.syncSync()\n', replace: '',
  },
  {
    name: 'the name of a replaced file is not synced', proves: 'S8 MetaFilesReplacedWhole', file: `${kernel}/file-system.ts`,
    find: "  fs.rename(temporary, path)\n  fs.syncDirectory(path.slice(0, Math.max(1, path.lastIndexOf('/'))))\n", replace: '  fs.rename(temporary, path)\n',
  },
  {
    name: 'a checkpoint in the background is put in its place before it is synced', proves: 'S8 MetaFilesReplacedWhole', file: `${storage}/files/replaced-file.ts`,
    find: '      await file.sync()\n', replace: '      await Promise.resolve()\n',
  },
  {
    // The replica manager and the log manager both look at the topic id.
    name: 'the log of a deleted topic is taken for that of its successor', file: `${storage}/manager/log-manager.ts`,
    find: '    if (log.topicId !== topicId) {\n', replace: '    if (log.topicId === ZERO_UUID) {\n',
    also: [{ file: `${replication}/hosting/replica-hosting.ts`, find: '    this.#setPredecessorAside(topicPartition, topic, image)\n', replace: '' }],
  },
  { name: 'a log that is deleted writes what its turn staged', file: `${storage}/log/disk-log.ts`, find: '    this.#state.writer.abandon()\n', replace: '' },
  {
    name: 'a read of a log that is deleted goes on', file: `${storage}/log/read/log-file-reads.ts`,
    find: '    if (log.unavailable() !== null) return unavailableRead(log)\n', replace: '',
  },
  {
    name: 'a checkpoint of a log that is deleted goes on', file: `${storage}/log/sync/log-checkpoint.ts`,
    find: '  if (!log.epochsDirty || log.isClosed) return\n', replace: '  if (!log.epochsDirty) return\n',
  },
  {
    name: 'records without a topic id are given to the next topic', takes: 'recreate-while-down', file: `${storage}/manager/log-manager.ts`,
    find: '    if (isOfNobody(log, store)) this.#setAside(log)\n', replace: '',
  },
  {
    name: 'the directory of a deleted topic stays', proves: 'S12 DeletedLeavesTheDisk', file: `${storage}/manager/delayed-removals.ts`,
    find: '    this.#later(delayMs, () => this.#fs.removeInBackground(path))\n', replace: '    this.#later(delayMs * 1_000, () => this.#fs.removeInBackground(path))\n',
  },
  {
    name: 'logs share the open file of segments that begin alike', proves: 'S9 ContentIsOwn', file: `${storage}/files/open-files.ts`,
    find: '    const known = this.#open.get(path)\n',
    replace: '    const known = this.#open.get(path) ?? [...this.#open.values()].find(({ file }) => file.path.slice(-24) === path.slice(-24))\n',
  },
]
