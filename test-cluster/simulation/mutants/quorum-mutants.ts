/** Planted bugs: the metadata quorum and the controller on it. */
import type { Mutant } from './mutant.ts'

const raft = 'packages/controller/src/raft'
const quorum = 'packages/controller/src/quorum'
const metadata = 'packages/controller/src/metadata'
const controller = 'packages/controller/src/quorum-controller'

export const quorumMutants: readonly Mutant[] = [
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
  {
    name: 'the leader serves from any offset that it has', proves: 'R4 LogMatching', file: `${raft}/fetch-serving.ts`,
    find: '  if (log.hasPrefix(request.fetchOffset, request.lastFetchedEpoch)) return null\n',
    replace: '  if (request.fetchOffset <= log.endOffset) return null\n',
  },
  {
    name: 'a voter that never fetched counts as caught up', proves: 'R8 MajorityReachedHW', file: `${raft}/leadership.ts`,
    find: '(role.voters.get(id)?.endOffset ?? (0 as Offset))', replace: '(role.voters.get(id)?.endOffset ?? log.syncedEnd)',
  },
  {
    name: 'promises are sent before they are written', proves: 'R9 QuorumLog', file: `${quorum}/quorum-driver.ts`,
    find: '    this.#send(ready.messages)\n', replace: '    this.#send([...ready.messages, ...ready.messagesAfterSync])\n',
  },
  {
    name: 'a vote is given whatever the logs hold', proves: 'R10 MonotonicHW', file: `${raft}/election.ts`,
    find: '    eligible && upToDate && (', replace: '    eligible && (',
  },
  {
    name: 'the controller answers before it is committed', proves: 'R17 LinearizableMetadata', file: `${controller}/operation-queue.ts`,
    find: '      this.#answerUpTo(this.#committed.offset)\n', replace: '      this.#answerUpTo(this.#speculative.offset)\n',
  },
  {
    name: 'a new topic has the settings of its predecessor', proves: 'R17 LinearizableMetadata', file: `${metadata}/delta.ts`,
    find: 'return this.#configs.removeResource(TOPIC, this.#topics.replayRemove(record))', replace: 'return void this.#topics.replayRemove(record)',
  },
  {
    // One that goes on leading for longer alone does no harm: it commits nothing, and tells nothing.
    name: 'a controller that was replaced tells what it knew', proves: 'R17 LinearizableMetadata', takes: 'replaced-in-silence', file: `${controller}/operation-queue.ts`,
    find: '    if (!answers.some(wantsCommit)) return [...answers]\n', replace: '    if (answers.length >= 0) return [...answers]\n',
  },
]
