/** A KeyValueStore whose power can be cut. */
import { assert } from '@kavka/kernel'
import type { KeyValueStore, KeyValueWrite, Random, Scheduler } from '@kavka/kernel'

export interface MemoryKeyValueStoreOptions {
  /** How long a write takes until it is durable; with a scheduler. */
  readonly writeDelayMs?: number
}

interface FlippedBit {
  readonly position: number
  readonly bit: number
}

interface PendingWrite {
  readonly writes: readonly KeyValueWrite[]
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

type Operation = 'get' | 'range' | 'write'

/** A write is durable exactly when it resolves. After `crash` the store is dead; `reopen` gives the next one on the same "disk". */
export class MemoryKeyValueStore implements KeyValueStore {
  readonly #options: MemoryKeyValueStoreOptions
  readonly #scheduler: Scheduler | null
  readonly #durable: Map<string, Uint8Array>
  readonly #flipped: Map<string, FlippedBit>
  readonly #failures = new Map<Operation, Error[]>()
  #pending: PendingWrite[] = []
  #state: 'open' | 'closed' | 'crashed' = 'open'

  constructor(
    options: MemoryKeyValueStoreOptions = {},
    dependencies: { readonly scheduler?: Scheduler } = {},
    durable: ReadonlyMap<string, Uint8Array> = new Map(),
    flipped: ReadonlyMap<string, FlippedBit> = new Map(),
  ) {
    this.#options = options
    this.#scheduler = dependencies.scheduler ?? null
    this.#durable = new Map(durable)
    this.#flipped = new Map(flipped)
  }

  /** What would survive a power cut now, as it was written. */
  get content(): ReadonlyMap<string, Uint8Array> {
    return this.#durable
  }

  /** A bit of a stored value is read wrong from now on, until the value is written again or the bit is repaired. */
  flipBit(key: string, position: number, bit: number): void {
    const value = this.#durable.get(key)
    assert(value !== undefined && position < value.length, 'nothing is stored there', { key, position })
    this.#flipped.set(key, { position, bit })
  }

  repair(key: string): void {
    this.#flipped.delete(key)
  }

  /** Failures that have yet to hit. */
  get armedFaults(): number {
    let armed = 0
    for (const errors of this.#failures.values()) armed += errors.length
    return armed
  }

  /** The next such call fails with `error`; several queue up. */
  failNext(operation: Operation, error: Error): void {
    const errors = this.#failures.get(operation)
    if (errors === undefined) this.#failures.set(operation, [error])
    else errors.push(error)
  }

  async get(key: string): Promise<Uint8Array | null> {
    this.#enter('get')
    const value = this.#durable.get(key)
    return value === undefined ? null : this.#asRead(key, value)
  }

  async range(from: string, to: string): Promise<ReadonlyArray<readonly [string, Uint8Array]>> {
    this.#enter('range')
    return [...this.#durable]
      .filter(([key]) => key >= from && key < to)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, this.#asRead(key, value)] as const)
  }

  write(writes: readonly KeyValueWrite[]): Promise<void> {
    try {
      this.#enter('write')
    } catch (error) {
      return Promise.reject(error)
    }
    return new Promise((resolve, reject) => {
      // Values are copied: what the caller does to its buffers afterwards must not change the "disk".
      this.#pending.push({ writes: writes.map(copyWrite), resolve, reject })
      if (this.#scheduler === null) queueMicrotask(() => this.#completeNext())
      else this.#scheduler.after(this.#options.writeDelayMs ?? 0, () => this.#completeNext())
    })
  }

  async close(): Promise<void> {
    assert(this.#state !== 'crashed', 'closed after a crash')
    while (this.#pending.length > 0) this.#completeNext()
    this.#state = 'closed'
  }

  /**
   * Cuts the power. Writes under way are lost, never settle, and nothing works any more; with `random` any number of them,
   * counted from the first, may have become durable all the same.
   */
  crash(random?: Random): void {
    const survivors = random === undefined ? 0 : random.below(this.#pending.length + 1)
    for (const { writes } of this.#pending.slice(0, survivors)) this.#apply(writes)
    this.#pending = []
    this.#state = 'crashed'
  }

  /** A new store over what is durable. */
  reopen(): MemoryKeyValueStore {
    assert(this.#state !== 'open', 'reopened while open')
    return new MemoryKeyValueStore(
      this.#options,
      this.#scheduler === null ? {} : { scheduler: this.#scheduler },
      this.#durable,
      this.#flipped,
    )
  }

  #asRead(key: string, value: Uint8Array): Uint8Array {
    const copy = new Uint8Array(value)
    const flipped = this.#flipped.get(key)
    if (flipped !== undefined) copy[flipped.position]! ^= 1 << flipped.bit
    return copy
  }

  #enter(operation: Operation): void {
    if (this.#state !== 'open') throw Object.assign(new Error('the store is not open'), { code: 'LEVEL_DATABASE_NOT_OPEN' })
    const error = this.#failures.get(operation)?.shift()
    if (error !== undefined) throw error
  }

  #completeNext(): void {
    const pending = this.#pending.shift()
    if (pending === undefined) return
    this.#apply(pending.writes)
    pending.resolve()
  }

  #apply(writes: readonly KeyValueWrite[]): void {
    for (const write of writes) {
      if (write.kind === 'put') {
        this.#durable.set(write.key, write.value)
        this.#flipped.delete(write.key)
      }
      else if (write.kind === 'delete') this.#durable.delete(write.key)
      else for (const key of this.#durable.keys()) if (key >= write.from && key < write.to) this.#durable.delete(key)
    }
  }
}

function copyWrite(write: KeyValueWrite): KeyValueWrite {
  return write.kind === 'put' ? { ...write, value: new Uint8Array(write.value) } : write
}
