/** What a person reads after runs. */
import { describeFault } from './faults/fault-plan.ts'
import { ILLEGAL_STATE, predicateNames } from './invariants/predicates.ts'
import type { PredicateName } from './invariants/predicates.ts'
import type { RunResult } from './simulate.ts'
import { probeNames } from './world/probes.ts'
import type { ProbeName } from './world/probes.ts'

export class Tally {
  readonly #workers: number
  seeds = 0
  simulatedMs = 0
  events = 0
  acknowledged = 0
  readonly #probes = new Map<ProbeName, number>()
  readonly #judged = new Map<PredicateName, number>()
  readonly #startedMs = performance.now()

  constructor(options: { readonly workers: number }) {
    this.#workers = options.workers
  }

  add({ simulatedMs, events, acknowledged, probes, judged }: RunResult): void {
    this.seeds++
    this.simulatedMs += simulatedMs
    this.events += events
    this.acknowledged += acknowledged
    for (const [name, count] of probes) this.#probes.set(name, (this.#probes.get(name) ?? 0) + count)
    for (const [name, count] of judged) this.#judged.set(name, (this.#judged.get(name) ?? 0) + count)
  }

  get unreached(): ProbeName[] {
    return probeNames.filter((name) => !this.#probes.has(name))
  }

  /** Predicates that had nothing to judge, and so prove nothing. */
  get unjudged(): PredicateName[] {
    return predicateNames.filter((name) => name !== ILLEGAL_STATE && !this.#judged.has(name))
  }

  lines(): string[] {
    const seconds = (performance.now() - this.#startedMs) / 1_000
    const table = (counts: ReadonlyMap<string, number>): string[] => [...counts].toSorted().map(([name, count]) => `  ${name.padEnd(40)} ${count}`)
    return [
      `${this.seeds} seeds, ${(this.simulatedMs / 3_600_000).toFixed(2)} cluster-hours, ${this.events} events, ${this.acknowledged} batches acknowledged`,
      `${seconds.toFixed(0)} s on ${this.#workers} cores; a core and second: ${(this.simulatedMs / 1_000 / seconds / this.#workers).toFixed(0)} simulated seconds, ` +
        `${(this.events / seconds / this.#workers).toFixed(0)} events, ${(this.acknowledged / seconds / this.#workers).toFixed(0)} batches acknowledged`,
      'predicates judged:', ...table(this.#judged),
      this.unjudged.length === 0 ? 'every predicate had something to judge' : `never judged: ${this.unjudged.join(', ')}`,
      'rare paths reached:', ...table(this.#probes),
      this.unreached.length === 0 ? 'every rare path was reached' : `never reached: ${this.unreached.join(', ')}`,
    ]
  }
}

export function describeFailure({ seed, violation, swarm, plan, log, hash }: RunResult, logLines: number): string {
  return [
    `SEED=${seed} ${violation?.name} at ${violation?.atMs.toFixed(3)} ms, hash ${hash}`,
    `  ${violation?.message}`,
    `  cluster: ${JSON.stringify(swarm)}`,
    `  faults that it takes:`, ...plan.map((fault) => `    ${describeFault(fault)}`),
    `  what happened:`, ...log.slice(-logLines).map((line) => `    ${line}`),
    `  again: npm run sim -- --seed ${seed}`,
  ].join('\n')
}
