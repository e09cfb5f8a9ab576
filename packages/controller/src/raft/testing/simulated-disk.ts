/** The durable state of one simulated node, and the one write that may be under way. */
import { assert } from '@kavka/kernel'
import type { Random } from '@kavka/kernel'
import type { Offset } from '@kavka/protocol'
import type { Entry } from '../messages.ts'
import { offsetAfter } from '../raft-log.ts'
import { BLANK_STATE } from '../raft-core.ts'
import type { HardState, LogStart, PersistedState, Snapshot, Write } from '../ready.ts'

export class SimulatedDisk {
  #hardState: HardState = BLANK_STATE.hardState
  #snapshot: Snapshot | null = null
  #logStart: LogStart = BLANK_STATE.logStart
  #entries: Entry[] = []
  #underWay: Write | null = null

  get hardState(): HardState {
    return this.#hardState
  }

  get snapshot(): Snapshot | null {
    return this.#snapshot
  }

  get logStart(): LogStart {
    return this.#logStart
  }

  get endOffset(): Offset {
    return offsetAfter(this.#logStart.offset, this.#entries.length)
  }

  get isWriting(): boolean {
    return this.#underWay !== null
  }

  /** The durable entry at `offset`, or null. */
  entryAt(offset: Offset): Entry | null {
    return this.#entries[offset - this.#logStart.offset] ?? null
  }

  load(): PersistedState {
    return {
      hardState: this.#hardState,
      snapshot: this.#snapshot,
      logStart: this.#logStart,
      entries: [...this.#entries],
    }
  }

  begin(write: Write): void {
    assert(this.#underWay === null, 'a second write while one is under way')
    this.#underWay = write
  }

  complete(): void {
    assert(this.#underWay !== null, 'no write under way')
    this.#apply(this.#underWay)
    this.#underWay = null
  }

  /** The power goes: the write under way, being atomic, has happened or not. */
  crash(random: Random): void {
    if (this.#underWay !== null && random.below(2) === 0) this.#apply(this.#underWay)
    this.#underWay = null
  }

  #apply(write: Write): void {
    if (write.hardState !== null) this.#hardState = write.hardState
    if (write.snapshot !== null) this.#snapshot = write.snapshot
    const start = write.logStart ?? this.#logStart
    const truncateTo = write.truncateTo ?? Infinity
    const kept = this.#entries.filter(({ offset }) => offset >= start.offset && offset < truncateTo)
    this.#logStart = start
    this.#entries = [...kept, ...write.entries]
    this.#entries.forEach((entry, i) => assert(entry.offset === start.offset + i, 'a hole on the disk', { ...entry }))
  }
}
