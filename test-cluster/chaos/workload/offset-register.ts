import {
  errorName, offsetCommitRequestCodec, offsetCommitResponseCodec, offsetFetchRequestCodec, offsetFetchResponseCodec,
} from '@kavka/protocol'
import { isDefinite } from '../history/definite-errors.ts'
import { errorOf } from './broker-link.ts'
import { countError } from './client-process.ts'
import type { ClientProcess, WorkloadContext } from './client-process.ts'
import { CoordinatorLink } from './coordinator-link.ts'
import { pauseMs } from './patience.ts'

const EVERY_MS = 60
const NO_GENERATION = -1

export interface RegisterOptions {
  readonly group: string
  readonly partition: number
}

/** Commits ever new offsets of a group that has no members, one after the other, and never repeats one. */
export class OffsetCommitter implements ClientProcess {
  readonly #options: RegisterOptions
  readonly #context: WorkloadContext
  readonly #link: CoordinatorLink
  #stopped = false
  #next = 0

  constructor(options: RegisterOptions, context: WorkloadContext) {
    this.#options = options
    this.#context = context
    this.#link = new CoordinatorLink(options.group, context)
  }

  stop(): void {
    this.#stopped = true
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#link.connect()
        await this.#commit()
      } catch (error) {
        countError(this.#context, errorOf(error))
        this.#link.forget()
      }
      await pauseMs(EVERY_MS * (0.5 + this.#context.random()))
    }
    this.#link.forget()
  }

  async #commit(): Promise<void> {
    const { history, view } = this.#context
    const { group, partition } = this.#options
    const offset = this.#next++
    const operation = history.invoke({ f: 'commit', process: `commit ${registerOf(this.#options)}`, register: registerOf(this.#options), offset })
    let error: string
    try {
      const { topics } = await this.#link.request(offsetCommitRequestCodec, offsetCommitResponseCodec, 8, {
        groupId: group, generationIdOrMemberEpoch: NO_GENERATION, memberId: '',
        topics: [{ name: view.topic, partitions: [{ partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: '' }] }],
      })
      error = errorName(topics[0]!.partitions[0]!.errorCode)
      if (error === 'NONE') return operation.ok()
      countError(this.#context, `commit ${error}`)
    } catch (thrown) {
      error = errorOf(thrown)
    }
    this.#link.forget()
    return isDefinite(error) ? operation.fail(error) : operation.info(error)
  }
}

/** Reads what is committed. */
export class OffsetReader implements ClientProcess {
  readonly #options: RegisterOptions
  readonly #context: WorkloadContext
  readonly #link: CoordinatorLink
  #stopped = false

  constructor(options: RegisterOptions, context: WorkloadContext) {
    this.#options = options
    this.#context = context
    this.#link = new CoordinatorLink(options.group, context)
  }

  stop(): void {
    this.#stopped = true
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      await this.read()
      await pauseMs(EVERY_MS * (0.5 + this.#context.random()))
    }
    this.#link.forget()
  }

  /** True when the coordinator answered. */
  async read(): Promise<boolean> {
    const { history, view } = this.#context
    const { group, partition } = this.#options
    try {
      await this.#link.connect()
      const operation = history.draft({ f: 'committed', process: `read ${registerOf(this.#options)}`, register: registerOf(this.#options), offset: -1 })
      const { groups } = await this.#link.request(offsetFetchRequestCodec, offsetFetchResponseCodec, 8, {
        groups: [{ groupId: group, topics: [{ name: view.topic, partitionIndexes: [partition] }] }], requireStable: false,
      })
      const answer = groups[0]!
      const found = answer.topics[0]?.partitions[0]
      const error = errorName(answer.errorCode !== 0 ? answer.errorCode : found?.errorCode ?? 0)
      if (error === 'NONE' && found !== undefined) {
        operation.ok({ offset: found.committedOffset })
        return true
      }
      countError(this.#context, `offset fetch ${error}`)
    } catch (error) {
      countError(this.#context, errorOf(error))
    }
    this.#link.forget()
    return false
  }
}

function registerOf({ group, partition }: RegisterOptions): string {
  return `${group}/${partition}`
}
