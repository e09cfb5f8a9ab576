/** R17: what administrators asked for, were answered and then found is one history of one register for each topic name. */
import type { MetadataImage } from '@kavka/controller'
import { ErrorCode } from '@kavka/protocol'
import type { World } from '../../world/world.ts'
import { judgeLinearizability } from './linearizability.ts'
import type { TimedOperation } from './linearizability.ts'

export type AdminOperation =
  | { readonly kind: 'create'; readonly partitions: number; readonly value: string }
  /** Asks whether it could be created, and so whether it is there. */
  | { readonly kind: 'validate-create' }
  | { readonly kind: 'delete' }
  | { readonly kind: 'add-partitions'; readonly count: number }
  /** Null: of a setting that is not followed here. */
  | { readonly kind: 'alter'; readonly value: string | null }
  /** By somebody who sees what is committed. */
  | { readonly kind: 'look'; readonly state: string }

/** The setting that is followed as part of the register. */
export const FOLLOWED_CONFIG = 'max.message.bytes'
const STEPS_MAX = 50_000
const ABSENT = ''

interface PendingOperation {
  readonly topic: string
  readonly operation: AdminOperation
  readonly invokedMs: number
  answeredMs: number
  errorCode: number | null
}

export class AdminHistory {
  readonly #world: World
  readonly #image: () => MetadataImage
  readonly #byTopic = new Map<string, PendingOperation[]>()

  constructor(world: World, image: () => MetadataImage) {
    this.#world = world
    this.#image = image
  }

  invoked(topic: string, operation: AdminOperation): PendingOperation {
    const pending: PendingOperation = { topic, operation, invokedMs: this.#world.nowMs, answeredMs: Infinity, errorCode: null }
    this.#of(topic).push(pending)
    return pending
  }

  /** `errorCode` null: there was no answer. */
  answered(pending: PendingOperation, errorCode: number | null): void {
    if (errorCode === null || !TELLING.has(errorCode)) {
      if (errorCode !== null && errorCode !== ErrorCode.REQUEST_TIMED_OUT && errorCode !== ErrorCode.NOT_CONTROLLER) this.#forget(pending)
      return
    }
    pending.errorCode = errorCode
    pending.answeredMs = this.#world.nowMs
    this.#look(pending.topic)
  }

  atQuiescence(): void {
    for (const [topic, operations] of this.#byTopic) {
      this.#look(topic)
      const verdict = judgeLinearizability(operations.map(timed), ABSENT, STEPS_MAX)
      if (verdict === 'gave-up') this.#world.note(`the history of ${topic} is too long to judge`)
      else this.#world.judge('R17 LinearizableMetadata', verdict === 'linearizable', { topic, history: operations.map(describe) })
    }
  }

  #look(topic: string): void {
    const { nowMs } = this.#world
    const operation: AdminOperation = { kind: 'look', state: this.#committedState(topic) }
    this.#of(topic).push({ topic, operation, invokedMs: nowMs, answeredMs: nowMs, errorCode: ErrorCode.NONE })
  }

  #committedState(topic: string): string {
    const image = this.#image()
    const found = image.topics.byName.get(topic)
    return found === undefined ? ABSENT : stateOf(found.partitions.length, image.configs.get(`2:${topic}`)?.get(FOLLOWED_CONFIG) ?? '')
  }

  /** Refused for a reason that says nothing about the register. */
  #forget(pending: PendingOperation): void {
    const operations = this.#of(pending.topic)
    operations.splice(operations.indexOf(pending), 1)
  }

  #of(topic: string): PendingOperation[] {
    let operations = this.#byTopic.get(topic)
    if (operations === undefined) this.#byTopic.set(topic, (operations = []))
    return operations
  }
}

/** Answers that say something about the register. */
const TELLING: ReadonlySet<number> = new Set([
  ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.INVALID_PARTITIONS,
])

function stateOf(partitions: number, value: string): string {
  return `${partitions}/${value}`
}

function timed({ operation, invokedMs, answeredMs, errorCode }: PendingOperation): TimedOperation {
  return { invokedMs, answeredMs, apply: (state) => (errorCode === null ? effectOf(operation, state) : explained(operation, errorCode, state)) }
}

/** The state after an answer, null when the answer does not fit. */
function explained(operation: AdminOperation, errorCode: number, state: string): string | null {
  switch (errorCode) {
    case ErrorCode.NONE:
      return effectOf(operation, state)
    case ErrorCode.TOPIC_ALREADY_EXISTS:
      return state !== ABSENT ? state : null
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
      return state === ABSENT ? state : null
    case ErrorCode.INVALID_PARTITIONS:
      return state !== ABSENT && effectOf(operation, state) === null ? state : null
    default:
      return null
  }
}

/** The state after it was done, null when it could not be done. */
function effectOf(operation: AdminOperation, state: string): string | null {
  if (operation.kind === 'look') return state === operation.state ? state : null
  if (operation.kind === 'validate-create') return state === ABSENT ? state : null
  if (operation.kind === 'create') return state === ABSENT ? stateOf(operation.partitions, operation.value) : null
  if (state === ABSENT) return null
  if (operation.kind === 'delete') return ABSENT
  const [partitions, value] = state.split('/') as [string, string]
  if (operation.kind === 'alter') return operation.value === null ? state : stateOf(Number(partitions), operation.value)
  return Number(partitions) < operation.count ? stateOf(operation.count, value) : null
}

function describe({ operation, invokedMs, answeredMs, errorCode }: PendingOperation): string {
  return `${invokedMs.toFixed(0)}-${answeredMs.toFixed(0)} ${Object.values(operation).join(' ')} ${errorCode ?? '?'}`
}

export type { PendingOperation }
