/** Keeps the core's durable state in a KeyValueStore: one `Write` is one atomic, synced batch. */
import { failure, success } from '@kavka/kernel'
import type { KeyValueStore, KeyValueWrite, Result } from '@kavka/kernel'
import type { Offset } from '@kavka/protocol'
import type { Entry } from '../raft/messages.ts'
import { BLANK_STATE } from '../raft/raft-core.ts'
import type { PersistedState, Snapshot, Write } from '../raft/ready.ts'
import {
  SNAPSHOT_VALUE_BYTES, decodeEntry, decodeHardState, decodeIdentity, decodeLogStart, decodeSnapshotHeader, encodeEntry,
  encodeObject, keys, sealed, unsealed,
} from './storage-codec.ts'
import type { Identity } from './storage-codec.ts'

/** Why the stored state cannot be used. None of it heals by itself: the node must not take part with it. */
export type StorageProblem =
  | { readonly kind: 'foreign'; readonly found: Identity }
  | { readonly kind: 'corrupt'; readonly key: string }

export class RaftStorage {
  readonly #store: KeyValueStore

  private constructor(store: KeyValueStore) {
    this.#store = store
  }

  /** A new store becomes that of `identity`; one of another cluster or node is refused. */
  static async open(store: KeyValueStore, identity: Identity): Promise<Result<RaftStorage, StorageProblem>> {
    const value = await store.get(keys.identity)
    if (value === null) {
      await store.write([sealed(keys.identity, encodeObject(identity))])
      return success(new RaftStorage(store))
    }
    const content = unsealed(keys.identity, value)
    if (content === null) return failure({ kind: 'corrupt', key: keys.identity })
    const found = decodeIdentity(content)
    const isOurs = found.clusterId === identity.clusterId && found.nodeId === identity.nodeId
    return isOurs ? success(new RaftStorage(store)) : failure({ kind: 'foreign', found })
  }

  async load(): Promise<Result<PersistedState, StorageProblem>> {
    const hardState = await this.#read(keys.hardState, decodeHardState, BLANK_STATE.hardState)
    if (!hardState.ok) return hardState
    const logStart = await this.#read(keys.logStart, decodeLogStart, BLANK_STATE.logStart)
    if (!logStart.ok) return logStart
    const snapshot = await this.#loadSnapshot()
    if (!snapshot.ok) return snapshot
    const entries = await this.#loadEntries(logStart.value.offset)
    if (!entries.ok) return entries
    return success({
      hardState: hardState.value,
      logStart: logStart.value,
      snapshot: snapshot.value,
      entries: entries.value,
    })
  }

  /** Durable when it resolves. When it fails the state on disk is unknown, and the node must stop. */
  write(write: Write): Promise<void> {
    const writes: KeyValueWrite[] = []
    if (write.hardState !== null) writes.push(sealed(keys.hardState, encodeObject(write.hardState)))
    if (write.snapshot !== null) writes.push(...snapshotWrites(write.snapshot))
    if (write.logStart !== null) {
      writes.push({ kind: 'delete-range', from: keys.entry(0), to: keys.entry(write.logStart.offset) })
      writes.push(sealed(keys.logStart, encodeObject(write.logStart)))
    }
    if (write.truncateTo !== null) {
      writes.push({ kind: 'delete-range', from: keys.entry(write.truncateTo), to: keys.entriesEnd })
    }
    for (const entry of write.entries) writes.push(sealed(keys.entry(entry.offset), encodeEntry(entry)))
    return this.#store.write(writes)
  }

  async #read<T>(key: string, decode: (content: Buffer) => T, fallback: T): Promise<Result<T, StorageProblem>> {
    const value = await this.#store.get(key)
    if (value === null) return success(fallback)
    const content = unsealed(key, value)
    return content === null ? failure({ kind: 'corrupt', key }) : success(decode(content))
  }

  async #loadSnapshot(): Promise<Result<Snapshot | null, StorageProblem>> {
    const header = await this.#read(keys.snapshot, decodeSnapshotHeader, null)
    if (!header.ok) return header
    if (header.value === null) return success(null)
    const { offset, epoch, totalBytes } = header.value
    const pieces: Buffer[] = []
    for (const [key, value] of await this.#store.range(keys.snapshotPiece(0), keys.snapshotPiecesEnd)) {
      const piece = unsealed(key, value)
      if (piece === null) return failure({ kind: 'corrupt', key })
      pieces.push(piece)
    }
    const bytes = Buffer.concat(pieces)
    if (bytes.length !== totalBytes) return failure({ kind: 'corrupt', key: keys.snapshot })
    return success({ offset, epoch, bytes })
  }

  async #loadEntries(start: Offset): Promise<Result<readonly Entry[], StorageProblem>> {
    const entries: Entry[] = []
    for (const [key, value] of await this.#store.range(keys.entry(0), keys.entriesEnd)) {
      const content = unsealed(key, value)
      const offset = start + entries.length
      const entry = content === null || key !== keys.entry(offset) ? null : decodeEntry(offset, content)
      if (entry === null) return failure({ kind: 'corrupt', key })
      entries.push(entry)
    }
    return success(entries)
  }
}

function snapshotWrites(snapshot: Snapshot): KeyValueWrite[] {
  const { offset, epoch, bytes } = snapshot
  const writes: KeyValueWrite[] = [
    { kind: 'delete-range', from: keys.snapshotPiece(0), to: keys.snapshotPiecesEnd },
    sealed(keys.snapshot, encodeObject({ offset, epoch, totalBytes: bytes.length })),
  ]
  for (let at = 0; at < bytes.length; at += SNAPSHOT_VALUE_BYTES) {
    const piece = bytes.subarray(at, at + SNAPSHOT_VALUE_BYTES)
    writes.push(sealed(keys.snapshotPiece(at / SNAPSHOT_VALUE_BYTES), piece))
  }
  return writes
}
