/**
 * What the core has to say and to write, and in which order. Every duty of "durable before sent" is decided here:
 * a message is held while something that it promises is not on the disk.
 */
import { assert } from '@kavka/kernel'
import type { RaftMessage } from './messages.ts'
import type { LogWrite, RaftLog } from './raft-log.ts'
import type { HardState, Snapshot, Write } from './ready.ts'

/** `hint`: only the leader changed; it goes along with the next write but forces none. */
type Dirtiness = 'clean' | 'hint' | 'changed'

export class Outbox {
  #messages: RaftMessage[] = []
  /** Promises; they go out with the next write, or when none is under way and nothing is left to write. */
  #held: RaftMessage[] = []
  #hardState: HardState
  #dirtiness: Dirtiness = 'clean'
  #snapshot: Snapshot | null = null
  #snapshotToInstall: Snapshot | null = null
  #writeUnderWay: { readonly id: number; readonly dirtiness: Dirtiness } | null = null
  #nextWriteId = 1

  constructor(hardState: HardState) {
    this.#hardState = hardState
  }

  send(message: RaftMessage): void {
    if (isPromise(message) || !this.hardStateIsDurable) this.#held.push(message)
    else this.#messages.push(message)
  }

  /** Epoch and vote as they stand are on the disk. */
  get hardStateIsDurable(): boolean {
    return this.#dirtiness !== 'changed' && this.#writeUnderWay?.dirtiness !== 'changed'
  }

  setHardState(hardState: HardState): void {
    const before = this.#hardState
    assert(hardState.epoch >= before.epoch, 'the epoch must not fall', { from: before.epoch, to: hardState.epoch })
    if (hardState.epoch === before.epoch) {
      assert(before.votedFor === null || hardState.votedFor === before.votedFor, 'a vote is given once an epoch')
    }
    const changed = hardState.epoch !== before.epoch || hardState.votedFor !== before.votedFor
    this.#hardState = hardState
    if (changed) this.#dirtiness = 'changed'
    else if (hardState.leaderId !== before.leaderId && this.#dirtiness === 'clean') this.#dirtiness = 'hint'
  }

  /** A snapshot that this node took. */
  keepSnapshot(snapshot: Snapshot): void {
    this.#snapshot = snapshot
  }

  /** A snapshot that came from the leader. */
  installSnapshot(snapshot: Snapshot): void {
    this.#snapshot = snapshot
    this.#snapshotToInstall = snapshot
  }

  takeSnapshotToInstall(): Snapshot | null {
    const snapshot = this.#snapshotToInstall
    this.#snapshotToInstall = null
    return snapshot
  }

  /** The next write, if there is something to write and none under way, and the messages on both sides of it. */
  take(log: RaftLog): {
    readonly messages: readonly RaftMessage[]
    readonly write: Write | null
    readonly messagesAfterSync: readonly RaftMessage[]
  } {
    const write = this.#writeUnderWay === null ? this.#takeWrite(log) : null
    const messages = this.#messages
    this.#messages = []
    if (this.#writeUnderWay !== null && write === null) return { messages, write, messagesAfterSync: [] }
    const held = this.#held
    this.#held = []
    if (write === null) return { messages: messages.concat(held), write, messagesAfterSync: [] }
    return { messages, write, messagesAfterSync: held }
  }

  writeDone(id: number): void {
    assert(this.#writeUnderWay?.id === id, 'not the write under way', { id, underWay: this.#writeUnderWay?.id })
    this.#writeUnderWay = null
  }

  #takeWrite(log: RaftLog): Write | null {
    const logWrite = log.takeWrite()
    if (logWrite === null && this.#snapshot === null && this.#dirtiness !== 'changed') return null
    const write = this.#compose(logWrite)
    this.#writeUnderWay = { id: write.id, dirtiness: this.#dirtiness }
    this.#snapshot = null
    this.#dirtiness = 'clean'
    return write
  }

  #compose(logWrite: LogWrite | null): Write {
    return {
      id: this.#nextWriteId++,
      hardState: this.#dirtiness === 'clean' ? null : this.#hardState,
      snapshot: this.#snapshot,
      logStart: logWrite?.logStart ?? null,
      truncateTo: logWrite?.truncateTo ?? null,
      entries: logWrite?.entries ?? [],
    }
  }
}

/** A vote asked for is one's own vote given; a fetch says that all below its offset is synced. */
function isPromise(message: RaftMessage): boolean {
  switch (message.kind) {
    case 'vote-request':
      return message.phase === 'vote'
    case 'vote-response':
      return message.phase === 'vote' && message.granted
    case 'fetch-request':
    case 'fetch-snapshot-request':
      return true
    case 'begin-quorum-epoch':
    case 'begin-quorum-epoch-response':
    case 'end-quorum-epoch':
    case 'fetch-response':
    case 'fetch-snapshot-response':
      return false
  }
}
