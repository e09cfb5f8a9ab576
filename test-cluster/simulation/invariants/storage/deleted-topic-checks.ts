/** S10, S11 and S12: what a deletion may do to a log directory, to the next topic of the name, and what is left of it. */
import { ErrorCode } from '@kavka/protocol'
import type { NodeId, TopicPartition } from '@kavka/protocol'
import type { World } from '../../world/world.ts'

/** What the run does to disks; anything else is the product's own doing. */
const DISK_ERRORS: readonly string[] = ['EIO', 'ENOSPC']
const LEAVING = /-(delete|stray)$/
const PARTITION = /^(.+)-\d+$/
/** Clocks may have run at half the rate, and a removal takes its turn. */
const DELAYS_MAX = 2
const SLACK_MS = 1_000

/** What a log directory that is in use holds of partitions. */
export interface FoundDirectory {
  readonly path: string
  readonly name: string
}

export class DeletedTopicChecks {
  readonly #fileDeleteDelayMs: number
  readonly #world: World
  /** When each directory got the name that says that it leaves; by node and path. */
  readonly #movedMs = new Map<string, number>()

  constructor(options: { readonly fileDeleteDelayMs: number }, world: World) {
    this.#fileDeleteDelayMs = options.fileDeleteDelayMs
    this.#world = world
  }

  /** S10: a file that is not there any more, because its topic is not, is no failure of a disk. */
  directoryFailed(node: NodeId, code: string, message: string): void {
    this.#world.judge('S10 OfflineByItsDiskAlone', DISK_ERRORS.includes(code), { node, message })
  }

  /** S11: of a log that was asked for; null: it was there or was made. */
  given(node: NodeId, { topic, partition }: TopicPartition, errorCode: number | null): void {
    this.#world.judge('S11 SuccessorBeginsAnew', errorCode !== ErrorCode.INCONSISTENT_TOPIC_ID, { node, partition: `${topic}-${partition}` })
  }

  /** S11: leader epochs written beside the log of a topic that has not got that far are those of another. */
  epochsWritten(node: NodeId, path: string, epochs: readonly number[], leaderEpoch: number): void {
    this.#world.judge('S11 SuccessorBeginsAnew', epochs.every((epoch) => epoch <= leaderEpoch), { node, path, epochs: epochs.join(), leaderEpoch })
  }

  moved(node: NodeId, path: string): void {
    this.#movedMs.set(`${node}:${path}`, this.#world.nowMs)
  }

  /** S12, for a node that serves and knows all that is committed; `isInUse`: whether a topic that there is has its log in it. */
  atQuiescence(node: NodeId, found: readonly FoundDirectory[], isInUse: (name: string) => boolean): void {
    for (const { path, name } of found) {
      const leaving = LEAVING.exec(name)
      if (leaving === null) {
        if (PARTITION.test(name)) this.#world.judge('S12 DeletedLeavesTheDisk', isInUse(name), { node, path })
      } else if (leaving[1] === 'delete') this.#judgeAge(node, path)
    }
  }

  #judgeAge(node: NodeId, path: string): void {
    const movedMs = this.#movedMs.get(`${node}:${path}`) ?? -Infinity
    const ageMs = this.#world.nowMs - movedMs
    this.#world.judge('S12 DeletedLeavesTheDisk', ageMs <= this.#fileDeleteDelayMs * DELAYS_MAX + SLACK_MS, { node, path, ageMs })
  }
}
