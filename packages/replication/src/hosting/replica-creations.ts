/**
 * Which replicas may get their logs made in this turn of the event loop. Making one costs half a millisecond of file operations and
 * several on a busy disk, so a topic of thousands of partitions is made a few a turn, and requests are served in between. Until its turn comes a replica is not
 * here: clients and followers are told so and try again, as while a broker has not heard of it yet.
 */
import type { Scheduler } from '@kavka/kernel'
import { FifoQueue } from '../core/fifo-queue.ts'
import { PartitionTable } from '../core/partition-table.ts'
import { OnceATurn } from '../once-a-turn.ts'
import type { PartitionKey } from '../ports.ts'

const MADE_IN_A_TURN_MAX = 8
/** After it no other is begun. */
const TURN_MS_MAX = 2

export class ReplicaCreations {
  readonly #create: (key: PartitionKey) => void
  readonly #queue = new FifoQueue<PartitionKey>()
  /** Those in the queue, each once. */
  readonly #waiting = new PartitionTable<PartitionKey>()
  readonly #scheduler: Scheduler
  readonly #turn: OnceATurn
  #left = MADE_IN_A_TURN_MAX

  /** `create` is called later for what had to wait; metadata that came meanwhile may have made it needless. */
  constructor(create: (key: PartitionKey) => void, dependencies: { readonly scheduler: Scheduler }) {
    this.#create = create
    this.#scheduler = dependencies.scheduler
    this.#turn = new OnceATurn(() => this.#continue(), dependencies)
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** True when the caller may make it now; otherwise it waits for its turn. */
  admit(key: PartitionKey): boolean {
    if (this.#waiting.get(key) !== undefined) return false
    this.#turn.request()
    if (this.#left > 0 && this.#waiting.size === 0) {
      this.#left--
      return true
    }
    this.#waiting.set(key, key)
    this.#queue.push(key)
    return false
  }

  stop(): void {
    this.#turn.stop()
  }

  #continue(): void {
    const startedMs = this.#scheduler.monotonicMs()
    for (this.#left = MADE_IN_A_TURN_MAX; this.#left > 0 && this.#queue.length > 0; this.#left--) {
      if (this.#scheduler.monotonicMs() - startedMs >= TURN_MS_MAX) break
      const key = this.#queue.shift()!
      this.#waiting.delete(key)
      this.#create(key)
    }
    if (this.#queue.length > 0) this.#turn.request()
    else this.#left = MADE_IN_A_TURN_MAX
  }
}
