/** Planted bugs: each a patch of a line or two. The checkers must find every one; a patch that no longer applies fails a test. */
export interface Mutant {
  readonly name: string
  readonly file: string
  readonly find: string
  readonly replace: string
}

const raft = 'packages/controller/src/raft'
const quorum = 'packages/controller/src/quorum'
const metadata = 'packages/controller/src/metadata'
const replication = 'packages/replication/src'
const storage = 'packages/storage/src'
const broker = 'packages/broker/src'

export const mutants: readonly Mutant[] = [
  // The metadata quorum.
  { name: 'vote before sync', file: `${raft}/outbox.ts`, find: 'if (isPromise(message) || !this.hardStateIsDurable)', replace: "if (isPromise(message) && !message.kind.startsWith('vote'))" },
  { name: 'fetch acknowledges before sync', file: `${raft}/outbox.ts`, find: "    case 'fetch-request':\n    case 'fetch-snapshot-request':\n      return true", replace: "    case 'fetch-request':\n    case 'fetch-snapshot-request':\n      return false" },
  { name: 'vote twice in an epoch', file: `${raft}/election.ts`, find: 'if (votedFor !== null) return votedFor === request.from', replace: 'if (votedFor !== null) return true' },
  { name: 'vote for a shorter log', file: `${raft}/election.ts`, find: 'return request.logEndOffset >= log.endOffset', replace: 'return true' },
  { name: 'vote for an older epoch at the end of the log', file: `${raft}/election.ts`, find: 'return request.lastEpoch > log.lastEpoch', replace: 'return true' },
  { name: 'commit entries of older epochs by counting', file: `${raft}/leadership.ts`, find: 'if (reached <= context.highWatermark || reached <= role.epochStartOffset) return', replace: 'if (reached <= context.highWatermark) return' },
  { name: 'leader counts what it has not synced', file: `${raft}/leadership.ts`, find: 'id === options.nodeId ? log.syncedEnd', replace: 'id === options.nodeId ? log.endOffset' },
  { name: 'one less than a majority commits', file: `${raft}/quorum.ts`, find: 'const reached = descending[this.majority - 1]', replace: 'const reached = descending[Math.max(0, this.majority - 2)]' },
  { name: 'one less than a majority elects', file: `${raft}/quorum.ts`, find: 'return this.#count(nodes) >= this.majority', replace: 'return this.#count(nodes) >= this.majority - 1' },
  { name: 'prefix judged by length alone', file: `${raft}/raft-log.ts`, find: 'return this.epochAt(offsetAfter(endOffset, -1)) === lastEpoch', replace: 'return lastEpoch >= 0' },
  { name: 'diverging entries are kept', file: `${raft}/pulling.ts`, find: '  log.truncateTo(offset)\n}', replace: '}' },
  { name: 'follower commits beyond what it was told', file: `${raft}/pulling.ts`, find: 'Math.min(leaderHighWatermark, log.endOffset)', replace: 'log.endOffset' },
  { name: 'an entry is handed out twice after a snapshot', file: `${raft}/raft-core.ts`, find: 'if (snapshotToInstall !== null) this.#applied = snapshotToInstall.offset', replace: 'if (snapshotToInstall !== null) this.#applied = offsetAfter(snapshotToInstall.offset, -1)' },
  { name: 'entries count as synced when the write begins', file: `${quorum}/quorum-driver.ts`, find: '      await this.#storage.write(write)\n', replace: '      void this.#storage.write(write)\n      await Promise.resolve()\n' },
  { name: 'stored vote is lost', file: `${quorum}/raft-storage.ts`, find: 'if (write.hardState !== null) writes.push(sealed(keys.hardState, encodeObject(write.hardState)))', replace: 'if (write.hardState !== null) writes.push(sealed(keys.hardState, encodeObject({ ...write.hardState, votedFor: null })))' },
  { name: 'a truncation is not stored', file: `${quorum}/raft-storage.ts`, find: "writes.push({ kind: 'delete-range', from: keys.entry(write.truncateTo), to: keys.entriesEnd })", replace: 'writes.push()' },
  // Brokers and partitions in the metadata.
  { name: 'no leader epoch for a new leader', file: `${metadata}/topics/topics-delta.ts`, find: 'before.leaderEpoch + (elects ? 1 : 0)', replace: 'before.leaderEpoch + (elects ? 0 : 0)' },
  { name: 'partition epoch stands still', file: `${metadata}/topics/topics-delta.ts`, find: '(before.partitionEpoch + 1) as PartitionEpoch', replace: 'before.partitionEpoch' },
  { name: 'alter partition of an older partition epoch', file: `${metadata}/partitions/alter-partition.ts`, find: '  if (proposal.partitionEpoch < partitionEpoch) return ErrorCode.INVALID_UPDATE_VERSION\n', replace: '' },
  { name: 'alter partition of a broker that registered anew', file: `${metadata}/partitions/alter-partition.ts`, find: 'return brokerEpoch === EPOCH_UNKNOWN || image.brokers.get(brokerId)!.epoch === brokerEpoch', replace: 'return brokerEpoch >= EPOCH_UNKNOWN' },
  { name: 'alter partition with a fenced member', file: `${metadata}/partitions/alter-partition.ts`, find: '  if (!isActive(image, brokerId)) return false\n', replace: '' },
  { name: 'a leader outside the in-sync set', file: `${metadata}/partitions/election.ts`, find: 'return decision.isActive(replica) && (isr.includes(replica) || (isr.length === 0 && elr.includes(replica)))', replace: 'return decision.isActive(replica) && isr.length + elr.length >= 0' },
  { name: 'an unclean stop is taken for a clean one', file: `${metadata}/brokers/register-broker.ts`, find: 'request.previousBrokerEpoch !== existing.epoch', replace: 'request.previousBrokerEpoch > existing.epoch' },
  { name: 'who stopped uncleanly stays eligible', file: `${metadata}/partitions/election.ts`, find: ' && replica !== elr.uncleanlyStopped', replace: '' },
  { name: 'a fenced broker keeps its partitions', file: `${metadata}/brokers/broker-turns.ts`, find: 'return [...leavePartitions(context, broker), ...fenced]', replace: 'return fenced' },
  { name: 'a new registration keeps the broker epoch', file: `${metadata}/brokers/register-broker.ts`, find: "brokerEpoch: again ? existing.epoch : 'offset-of-batch'", replace: "brokerEpoch: existing?.epoch ?? 'offset-of-batch'" },
  // Leader and follower.
  { name: 'a restarted broker acts on the metadata of its last life', file: `${broker}/node/registration-gate.ts`, find: 'if (this.#isOpen || epoch < 0 || loader.publishedImage.offset < epoch) return', replace: 'if (this.#isOpen || epoch < -1) return' },
  { name: 'high watermark over the leader alone', file: `${replication}/core/leader-state.ts`, find: 'if (inMaximalIsr(this.#isr, follower.id)) return true', replace: 'if (inMaximalIsr(this.#isr, follower.id)) return false' },
  { name: 'high watermark below the minimum in-sync set', file: `${replication}/core/leader-state.ts`, find: '    if (this.isUnderMinIsr) return null\n', replace: '' },
  { name: 'a shrinking set counts before it is committed', file: `${replication}/core/isr-state.ts`, find: "return state.isr.includes(id) || (state.kind === 'expanding' && state.joining === id)", replace: 'return proposedIsr(state).includes(id)' },
  { name: 'a joining follower does not hold back the high watermark', file: `${replication}/core/leader-state.ts`, find: '  #holdsBack(follower: FollowerProgress, nowMs: number): boolean {', replace: '  #holdsBack(follower: FollowerProgress, nowMs: number): boolean {\n    if (nowMs >= 0) return this.#isr.isr.includes(follower.id)' },
  { name: 'the in-sync set grows below the start of the leader epoch', file: `${replication}/core/leader-state.ts`, find: '    if (follower.durableEnd < this.epochStart) return null\n', replace: '' },
  { name: 'the in-sync set grows below the high watermark', file: `${replication}/core/leader-state.ts`, find: 'follower.brokerEpoch === null || follower.durableEnd < this.#highWatermark', replace: 'follower.brokerEpoch === null' },
  { name: 'a follower acknowledges before sync', file: `${replication}/follower-fetcher.ts`, find: 'durableEndOffset: log.durableEndOffset,', replace: 'durableEndOffset: log.logEndOffset,' },
  { name: 'the leader counts what it has not synced', file: `${replication}/partition.ts`, find: '    state.appended(this.log.logEndOffset, this.#nowMs())\n', replace: '    state.appended(this.log.logEndOffset, this.#nowMs())\n    this.#take(state.madeDurable(this.log.logEndOffset, this.#nowMs()))\n' },
  { name: 'truncate to the high watermark', file: `${replication}/core/follower-state.ts`, find: 'const endOffset = Math.max(truncationPoint(log, leader), log.logStartOffset)', replace: 'const endOffset = Math.max(Math.min(log.highWatermark, truncationPoint(log, leader)), log.logStartOffset)' },
  { name: 'truncate to the own end of the epoch only', file: `${replication}/core/divergence.ts`, find: 'return Math.min(own.endOffset, leader.endOffset, log.logEndOffset)', replace: 'return Math.min(own.endOffset, log.logEndOffset)' },
  { name: 'divergence by epoch is not looked for', file: `${replication}/core/divergence.ts`, find: 'if (known.epoch < lastFetchedEpoch || known.endOffset < fetchOffset) {', replace: 'if (known.epoch > lastFetchedEpoch) {' },
  { name: 'a new leader does not note where its epoch starts', file: `${replication}/partition.ts`, find: '    log.assignEpochStart(registration.leaderEpoch)\n', replace: '' },
  { name: 'acknowledge before replication', file: `${replication}/produce-path.ts`, find: '} else if (partition.highWatermark < endOffset) {', replace: '} else if (partition.log.logEndOffset < endOffset) {' },
  { name: 'time out means acknowledged', file: `${replication}/produce-path.ts`, find: 'timeoutCode: ErrorCode.REQUEST_TIMED_OUT', replace: 'timeoutCode: ErrorCode.NONE' },
  { name: 'a deposed leader acknowledges what waits', file: `${replication}/partition.ts`, find: '      this.#answerAll(ErrorCode.NOT_LEADER_OR_FOLLOWER)\n', replace: '      this.#answerAll(ErrorCode.NONE)\n' },
  { name: 'consumers read to the end of the log', file: `${replication}/partition.ts`, find: '    const highWatermark = this.highWatermark\n    return isolation', replace: '    const highWatermark = this.log.logEndOffset\n    return isolation' },
  { name: 'a new leader tells the end before it knows it', file: `${replication}/core/leader-state.ts`, find: 'return this.#highWatermark >= this.epochStart', replace: 'return this.#highWatermark >= 0' },
  { name: 'the log of a deleted topic stands in the way', file: `${replication}/replica-manager.ts`, find: '    this.#setPredecessorAside(topicPartition, topic, image)\n', replace: '' },
  // The log.
  { name: 'a window of two batches', file: `${storage}/log/producer-state.ts`, find: 'const BATCHES_KEPT_MAX = 5', replace: 'const BATCHES_KEPT_MAX = 2' },
  { name: 'a window of four batches', file: `${storage}/log/producer-state.ts`, find: 'const BATCHES_KEPT_MAX = 5', replace: 'const BATCHES_KEPT_MAX = 4' },
  { name: 'sequences are not checked', file: `${storage}/log/producer-state.ts`, find: 'if (batch.firstSequence === sequenceAfter(lastSequence, 1)) return null', replace: 'if (batch.firstSequence >= 0) return null' },
  { name: 'duplicates are not recognized', file: `${storage}/log/producer-state.ts`, find: 'return entry.batches.find(isSame) ?? null', replace: 'return entry.batches.find((kept) => isSame(kept) && kept.lastOffset < 0) ?? null' },
  { name: 'producer state starts empty from a snapshot', file: `${storage}/log/producer-state.ts`, find: 'for (const entry of entries) this.#producers.set(entry.producerId, entry)', replace: 'for (const entry of entries) if (entry.producerId < 0) this.#producers.set(entry.producerId, entry)' },
  { name: 'a follower appends batches it already has', file: `${storage}/log/follower-batches.ts`, find: 'if (previousEnd > log.logEndOffset) batches.push(batch)', replace: 'batches.push(batch)' },
  // Groups.
  { name: 'offsets are answered before they are replicated', file: `${broker}/coordinators/append-pipeline.ts`, find: '      acks: -1,', replace: '      acks: 0,' },
  { name: 'a commit of an older generation is taken', file: `${broker}/groups/core/offset-validation.ts`, find: '  if (generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION\n', replace: '' },
  { name: 'a rebalance keeps the generation', file: `${broker}/groups/core/classic-group.ts`, find: 'this.generationId++', replace: 'this.generationId = Math.max(1, this.generationId)' },
]
