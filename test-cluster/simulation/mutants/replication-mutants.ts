/** Planted bugs: leader and follower. */
import type { Mutant } from './mutant.ts'

const replication = 'packages/replication/src'
const broker = 'packages/broker/src'

export const replicationMutants: readonly Mutant[] = [
  { name: 'a restarted broker acts on the metadata of its last life', file: `${broker}/node/registration-gate.ts`, find: 'if (this.#isOpen || epoch < 0 || loader.publishedImage.offset < epoch) return', replace: 'if (this.#isOpen || epoch < -1) return' },
  { name: 'high watermark over the leader alone', file: `${replication}/core/leader-state.ts`, find: 'if (inMaximalIsr(this.#isr, follower.id)) return true', replace: 'if (inMaximalIsr(this.#isr, follower.id)) return false' },
  { name: 'high watermark below the minimum in-sync set', proves: 'P4 MinIsrCommits', file: `${replication}/core/leader-state.ts`, find: '    if (this.isUnderMinIsr) return null\n', replace: '' },
  { name: 'a shrinking set counts before it is committed', file: `${replication}/core/isr-state.ts`, find: "return state.isr.includes(id) || (state.kind === 'expanding' && state.joining === id)", replace: 'return proposedIsr(state).includes(id)' },
  { name: 'a joining follower does not hold back the high watermark', file: `${replication}/core/leader-state.ts`, find: '  #holdsBack(follower: FollowerProgress, nowMs: number): boolean {', replace: '  #holdsBack(follower: FollowerProgress, nowMs: number): boolean {\n    if (nowMs >= 0) return this.#isr.isr.includes(follower.id)' },
  { name: 'the in-sync set grows below the start of the leader epoch', file: `${replication}/core/leader-state.ts`, find: '    if (follower.durableEnd < this.epochStart) return null\n', replace: '' },
  { name: 'the in-sync set grows below the high watermark', file: `${replication}/core/leader-state.ts`, find: 'follower.brokerEpoch === null || follower.durableEnd < this.#highWatermark', replace: 'follower.brokerEpoch === null' },
  { name: 'a follower acknowledges before sync', file: `${replication}/streams/follower-fetcher.ts`, find: 'durableEndOffset: log.durableEndOffset,', replace: 'durableEndOffset: log.logEndOffset,' },
  { name: 'the leader counts what it has not synced', file: `${replication}/partition/partition.ts`, find: '    state.appended(this.log.logEndOffset, this.#nowMs())\n', replace: '    state.appended(this.log.logEndOffset, this.#nowMs())\n    this.#take(state.madeDurable(this.log.logEndOffset, this.#nowMs()))\n' },
  { name: 'truncate to the high watermark', file: `${replication}/core/follower-state.ts`, find: 'const endOffset = Math.max(truncationPoint(log, leader), log.logStartOffset)', replace: 'const endOffset = Math.max(Math.min(log.highWatermark, truncationPoint(log, leader)), log.logStartOffset)' },
  { name: 'truncate to the own end of the epoch only', file: `${replication}/core/divergence.ts`, find: 'return Math.min(own.endOffset, leader.endOffset, log.logEndOffset)', replace: 'return Math.min(own.endOffset, log.logEndOffset)' },
  { name: 'divergence by epoch is not looked for', file: `${replication}/core/divergence.ts`, find: 'if (known.epoch < lastFetchedEpoch || known.endOffset < fetchOffset) {', replace: 'if (known.epoch > lastFetchedEpoch) {' },
  { name: 'a new leader does not note where its epoch starts', file: `${replication}/partition/partition.ts`, find: '    log.assignEpochStart(registration.leaderEpoch)\n', replace: '' },
  { name: 'acknowledge before replication', file: `${replication}/requests/produce-path.ts`, find: '} else if (partition.highWatermark < endOffset) {', replace: '} else if (partition.log.logEndOffset < endOffset) {' },
  { name: 'time out means acknowledged', file: `${replication}/requests/produce-path.ts`, find: 'timeoutCode: ErrorCode.REQUEST_TIMED_OUT', replace: 'timeoutCode: ErrorCode.NONE' },
  { name: 'a deposed leader acknowledges what waits', file: `${replication}/partition/partition.ts`, find: '      this.#answerAll(ErrorCode.NOT_LEADER_OR_FOLLOWER)\n', replace: '      this.#answerAll(ErrorCode.NONE)\n' },
  { name: 'consumers read to the end of the log', file: `${replication}/partition/partition.ts`, find: '    const highWatermark = this.highWatermark\n    return isolation', replace: '    const highWatermark = this.log.logEndOffset\n    return isolation' },
  { name: 'a new leader tells the end before it knows it', file: `${replication}/core/leader-state.ts`, find: 'return this.#highWatermark >= this.epochStart', replace: 'return this.#highWatermark >= 0' },
  {
    name: 'the log of a deleted topic stands in the way', takes: 'recreate-while-down', file: `${replication}/hosting/replica-hosting.ts`,
    find: '    this.#setPredecessorAside(topicPartition, topic, image)\n', replace: '',
  },
  {
    name: 'an older leader epoch of a client is not fenced', file: `${replication}/requests/partition-lookup.ts`,
    find: 'if (currentLeaderEpoch < 0 || currentLeaderEpoch === partition.leaderEpoch) return null', replace: 'if (currentLeaderEpoch <= partition.leaderEpoch) return null',
  },
  {
    name: 'records are deleted that are not committed', file: `${replication}/requests/delete-records-path.ts`,
    find: 'const target = entry.offset === -1 ? state.highWatermark : offset(entry.offset)', replace: 'const target = partition.log.logEndOffset',
  },
  {
    name: 'a replica that has left keeps its log', proves: 'P18 NothingIsLeft', takes: 'reassign', file: `${replication}/hosting/replica-hosting.ts`,
    find: '      } else if (known !== null) {\n        this.#drop(known)\n', replace: '      } else if (known !== null && known.partition < 0) {\n        this.#drop(known)\n',
  },
]
