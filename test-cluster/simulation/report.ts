/** What a person reads after runs. */
import { describeFault } from './faults/fault-plan.ts'
import { ILLEGAL_STATE, predicateNames } from './invariants/predicates.ts'
import type { PredicateName } from './invariants/predicates.ts'
import type { RunResult } from './simulate.ts'
import type { PlayedSeed } from './workers/seed-pool.ts'
import { probeNames } from './world/probes.ts'
import type { ProbeName } from './world/probes.ts'

interface Played {
  seeds: number
  simulatedMs: number
  events: number
  acknowledged: number
  faults: number
  cpuMs: number
}

export class Tally {
  readonly #workers: number
  readonly #played: Played = nothingPlayed()
  /** Simulated seconds say little without it: a calm one costs a fifth of an intense one. */
  readonly #byTempo = new Map<string, Played>()
  readonly #probes = new Map<ProbeName, number>()
  readonly #judged = new Map<PredicateName, number>()
  readonly #startedMs = performance.now()

  constructor(options: { readonly workers: number }) {
    this.#workers = options.workers
  }

  add({ swarm, simulatedMs, events, acknowledged, faults, cpuMs, probes, judged }: PlayedSeed): void {
    const { kind } = swarm.tempo
    const ofTempo = this.#byTempo.get(kind) ?? nothingPlayed()
    this.#byTempo.set(kind, ofTempo)
    for (const played of [this.#played, ofTempo]) {
      played.seeds++
      played.simulatedMs += simulatedMs
      played.events += events
      played.acknowledged += acknowledged
      played.faults += faults
      played.cpuMs += cpuMs
    }
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
    const { seeds, simulatedMs, events, acknowledged, faults } = this.#played
    const seconds = (performance.now() - this.#startedMs) / 1_000
    const table = (counts: ReadonlyMap<string, number>): string[] => [...counts].toSorted().map(([name, count]) => `  ${name.padEnd(40)} ${count}`)
    return [
      `${seeds} seeds, ${(simulatedMs / 3_600_000).toFixed(2)} cluster-hours, ${events} events, ${acknowledged} batches acknowledged, ${faults} faults`,
      `${seconds.toFixed(0)} s on ${this.#workers} cores; a core and second: ${(simulatedMs / 1_000 / seconds / this.#workers).toFixed(0)} simulated seconds, ` +
        `${(events / seconds / this.#workers).toFixed(0)} events, ${(acknowledged / seconds / this.#workers).toFixed(0)} batches acknowledged`,
      'by CPU time, which counts also on a busy machine:', densityOf('all', this.#played), ...[...this.#byTempo].toSorted().map(([kind, played]) => densityOf(kind, played)),
      'predicates judged:', ...table(this.#judged),
      this.unjudged.length === 0 ? 'every predicate had something to judge' : `never judged: ${this.unjudged.join(', ')}`,
      'rare paths reached:', ...table(this.#probes),
      this.unreached.length === 0 ? 'every rare path was reached' : `never reached: ${this.unreached.join(', ')}`,
    ]
  }
}

function nothingPlayed(): Played {
  return { seeds: 0, simulatedMs: 0, events: 0, acknowledged: 0, faults: 0, cpuMs: 0 }
}

function densityOf(name: string, { seeds, simulatedMs, events, acknowledged, faults, cpuMs }: Played): string {
  const [simulated, cpu] = [simulatedMs / 1_000, cpuMs / 1_000]
  return `  ${name.padEnd(8)} ${seeds} seeds; a CPU second: ${(simulated / cpu).toFixed(0)} simulated, ${(events / cpu).toFixed(0)} events; ` +
    `a simulated second: ${(events / simulated).toFixed(0)} events, ${(acknowledged / simulated).toFixed(1)} batches; a simulated hour: ${(faults / simulated * 3_600).toFixed(0)} faults`
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
