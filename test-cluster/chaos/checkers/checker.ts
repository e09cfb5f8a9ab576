import type { History } from '../history/operation.ts'

/** What a checker found: nothing is a pass. */
export interface CheckResult {
  readonly checker: string
  readonly count: number
  /** The first few findings. */
  readonly messages: readonly string[]
}

/** A time during which something was broken on purpose, from the first blow until it was healed. */
export interface FaultWindow {
  readonly fromMs: number
  readonly toMs: number
}

export interface CheckContext {
  readonly faults: readonly FaultWindow[]
  /** How long reads may lag behind acknowledged writes outside of faults. */
  readonly lagMsMax: number
  /** `min.insync.replicas` of the topic. */
  readonly inSyncMin: number
}

/** Finds what a history shows that must never be; an empty answer is a pass. */
export interface Checker {
  readonly name: string
  /** One sentence: what it finds. */
  readonly finds: string
  check(history: History, context: CheckContext): readonly string[]
}

const MESSAGES_MAX = 20

export function resultOf(checker: string, messages: readonly string[]): CheckResult {
  return { checker, count: messages.length, messages: messages.slice(0, MESSAGES_MAX) }
}

export function runCheckers(checkers: readonly Checker[], history: History, context: CheckContext): CheckResult[] {
  return checkers.map((checker) => resultOf(checker.name, checker.check(history, context)))
}
