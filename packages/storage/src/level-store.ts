/** The KeyValueStore of a server: LevelDB through `level`, every write synced. Keys are ASCII, so that byte order is text order. */
import type { KeyValueStore, KeyValueWrite } from '@kavka/kernel'
import { Level } from 'level'
import { storeDamage } from './level-check/store-damage.ts'

/** The files of a store are not what was written to them; the message is a sentence for the operator. */
export class DamagedStoreError extends Error {
  override readonly name = 'DamagedStoreError'
}

type Batch = Array<
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string }
>

export class LevelStore implements KeyValueStore {
  readonly #level: Level<string, Uint8Array>
  /** Writes follow each other: one that deletes a range must see what those before it put there. */
  #lastWrite: Promise<unknown> = Promise.resolve()

  private constructor(level: Level<string, Uint8Array>) {
    this.#level = level
  }

  /**
   * Opens the store in `directory`, creating it when missing. Fails with a DamagedStoreError, and with `level`'s errors; their `cause.code`
   * is `LEVEL_LOCKED` when another process has it open.
   */
  static async open(directory: string): Promise<LevelStore> {
    const damage = await storeDamage(directory)
    if (damage !== null) throw new DamagedStoreError(`${directory} is damaged: ${damage.file} has ${damage.reason} at byte ${damage.at}`)
    const level = new Level<string, Uint8Array>(directory, { keyEncoding: 'utf8', valueEncoding: 'view' })
    try {
      await level.open()
    } catch (error) {
      const cause = corruptionIn(error)
      throw cause === null ? error : new DamagedStoreError(`${directory} is damaged: ${cause.message}`, { cause: error })
    }
    return new LevelStore(level)
  }

  async get(key: string): Promise<Uint8Array | null> {
    const value: Uint8Array | undefined = await this.#level.get(key)
    return value ?? null
  }

  async range(from: string, to: string): Promise<ReadonlyArray<readonly [string, Uint8Array]>> {
    if (from >= to) return []
    return await this.#level.iterator({ gte: from, lt: to }).all()
  }

  write(writes: readonly KeyValueWrite[]): Promise<void> {
    const written = this.#lastWrite.then(() => this.#apply(writes))
    this.#lastWrite = written.catch(() => {})
    return written
  }

  async close(): Promise<void> {
    await this.#lastWrite
    await this.#level.close()
  }

  async #apply(writes: readonly KeyValueWrite[]): Promise<void> {
    const batch: Batch = []
    for (const write of writes) {
      if (write.kind === 'put') batch.push({ type: 'put', key: write.key, value: write.value })
      else if (write.kind === 'delete') batch.push({ type: 'del', key: write.key })
      else await this.#deleteRange(batch, write.from, write.to)
    }
    // `sync` makes LevelDB flush its log to the disk before it answers.
    await this.#level.batch(batch, { sync: true })
  }

  /** Deletes what the store holds in the range and what this batch has put there so far; atomic with the rest of the batch. */
  async #deleteRange(batch: Batch, from: string, to: string): Promise<void> {
    if (from >= to) return
    const stored = await this.#level.keys({ gte: from, lt: to }).all()
    const added = batch.map(({ key }) => key).filter((key) => key >= from && key < to)
    for (const key of new Set([...stored, ...added])) batch.push({ type: 'del', key })
  }
}

/** What `level` found, when that is damage: it tells so in the cause of its error. */
function corruptionIn(error: unknown): { readonly message: string } | null {
  const { cause } = error as { readonly cause?: { readonly code?: string; readonly message: string } }
  return cause?.code === 'LEVEL_CORRUPTION' ? cause : null
}
