import type { Operation, Outcome, Timed } from './operation.ts'

type Body<Op extends Operation> = Omit<Op, Exclude<keyof Timed, 'process'>>
type AnyBody = Operation extends infer Op ? (Op extends Operation ? Body<Op> : never) : never
type Change = Readonly<Record<string, unknown>>

interface OpenOperation {
  readonly body: AnyBody
  readonly invokedMs: number
}

/** A line of a history file, as Jepsen writes them: an invocation or a completion. */
export interface HistoryLine {
  readonly type: 'invoke' | Outcome
  readonly timeMs: number
  readonly process: string
  readonly f: Operation['f']
  readonly value: unknown
}

/** An operation that was invoked and has to be completed, once. */
export interface Invocation {
  /** It happened; `seen` is what the answer said. */
  ok(seen?: Change): void
  /** It certainly did not happen. */
  fail(error: string, seen?: Change): void
  /** It may have happened or may still. */
  info(error: string, seen?: Change): void
}

/** Collects what clients do. What is still open in the end may have happened. */
export class HistoryRecorder {
  readonly #nowMs: () => number
  readonly #done: Operation[] = []
  readonly #open = new Set<OpenOperation>()
  readonly #lastWriteMs = new Map<string, number>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  invoke(body: AnyBody): Invocation {
    const open: OpenOperation = { body, invokedMs: this.#nowMs() }
    this.#open.add(open)
    return {
      ok: (seen) => this.#complete(open, 'ok', null, seen),
      fail: (error, seen) => this.#complete(open, 'fail', error, seen),
      info: (error, seen) => this.#complete(open, 'info', error, seen),
    }
  }

  /** For reads: an answer that never came tells nothing, so that only completed ones are kept. */
  draft(body: AnyBody): Pick<Invocation, 'ok'> {
    const open: OpenOperation = { body, invokedMs: this.#nowMs() }
    return { ok: (seen) => this.#done.push(operationOf(open, 'ok', this.#nowMs(), null, seen)) }
  }

  /** Everything so far; open operations as `info` that never returned. */
  history(): Operation[] {
    const open = [...this.#open].map((one) => operationOf(one, 'info', Infinity, 'never returned'))
    return [...this.#done, ...open]
  }

  /** When the latest acknowledged write to a partition was sent. */
  lastWriteMs(key: string): number {
    return this.#lastWriteMs.get(key) ?? -Infinity
  }

  #complete(open: OpenOperation, outcome: Outcome, error: string | null, seen: Change = {}): void {
    if (!this.#open.delete(open)) throw new Error(`completed twice: ${JSON.stringify(open.body)}`)
    const { body, invokedMs } = open
    if (body.f === 'send' && outcome === 'ok') this.#lastWriteMs.set(body.key, Math.max(this.lastWriteMs(body.key), invokedMs))
    this.#done.push(operationOf(open, outcome, outcome === 'info' ? Infinity : this.#nowMs(), error, seen))
  }
}

function operationOf(open: OpenOperation, outcome: Outcome, returnedMs: number, error: string | null, seen: Change = {}): Operation {
  return { ...open.body, ...seen, invokedMs: open.invokedMs, returnedMs, outcome, error } as Operation
}

/** The history as single events in the order of time; operations that never returned have no completion. */
export function linesOf(history: readonly Operation[]): HistoryLine[] {
  const lines = history.flatMap((operation) => {
    const { process, invokedMs, returnedMs, outcome, f, ...value } = operation
    const invoked: HistoryLine = { type: 'invoke', timeMs: invokedMs, process, f, value: f === 'send' ? value : null }
    const returned: HistoryLine = { type: outcome, timeMs: returnedMs, process, f, value }
    return Number.isFinite(returnedMs) ? [invoked, returned] : [invoked]
  })
  return lines.sort((a, b) => a.timeMs - b.timeMs)
}
