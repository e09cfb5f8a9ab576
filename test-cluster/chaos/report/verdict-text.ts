import { longestUnavailability } from '../checkers/availability.ts'
import type { ChaosResult } from '../chaos-run.ts'
import type { FaultRecord } from '../fault-record.ts'
import { operations } from '../history/operation.ts'
import { changesWithin, leadershipChanges } from './leadership-timeline.ts'

/** Everything a person wants to know after a run, best read from the end. */
export function verdictText(result: ChaosResult, skipped: readonly string[]): string {
  return [
    ...faultLines(result), '',
    'Longest time without an acknowledged write (of the worst partition, for each fault):', ...distributionLines(result), '',
    'From healing until every replica was in sync:', ...recoveryLines(result, ({ inSyncMs }) => inSyncMs), '',
    'From healing until clients had written to every partition:', ...recoveryLines(result, ({ wholeMs }) => wholeMs), '',
    ...skipped.map((line) => `did not run: ${line}`),
    ...errorLines(result), '',
    ...checkLines(result), '',
    ...summaryLines(result),
  ].join('\n')
}

export function isClean({ results }: ChaosResult): boolean {
  return results.every(({ count }) => count === 0)
}

/** `min …, p50 …, p90 …, p99 …, max … ms` */
export function distributionOf(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(0)
  return `min ${at(0)}, p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${at(1)} ms`
}

function faultLines({ faults, history, startedMs }: ChaosResult): string[] {
  const changes = leadershipChanges(history)
  return ['Timeline:', ...faults.map((fault, index) => {
    const gap = longestUnavailability(history, { fromMs: fault.fromMs, toMs: fault.wholeMs })
    const { leaders, shrinks } = changesWithin(changes, fault.fromMs, fault.wholeMs)
    return [
      `${String(index + 1).padStart(4)} ${seconds(fault.fromMs - startedMs).padStart(8)}  ${fault.nemesis.padEnd(17)} for ${seconds(fault.healedMs - fault.fromMs)}`,
      `whole ${seconds(fault.wholeMs - fault.healedMs)} after healing`, `longest gap ${(gap?.gapMs ?? 0).toFixed(0)} ms`,
      `${leaders} leader changes`, `${shrinks} in-sync sets shrank`, fault.description,
    ].join(', ')
  })]
}

function distributionLines({ faults, history }: ChaosResult): string[] {
  const byNemesis = Map.groupBy(faults, ({ nemesis }) => nemesis)
  return [...byNemesis].map(([nemesis, ofNemesis]) => {
    const gaps = ofNemesis.map(({ fromMs, wholeMs }) => longestUnavailability(history, { fromMs, toMs: wholeMs })?.gapMs ?? 0)
    const brokenMs = ofNemesis.reduce((sum, { fromMs, wholeMs }) => sum + wholeMs - fromMs, 0)
    return `  ${nemesis.padEnd(18)} ${String(gaps.length).padStart(3)} times, ${seconds(brokenMs).padStart(7)} in all: ${distributionOf(gaps)}`
  })
}

function recoveryLines({ faults }: ChaosResult, endOf: (fault: FaultRecord) => number): string[] {
  const byNemesis = Map.groupBy(faults, ({ nemesis }) => nemesis)
  return [...byNemesis].map(([nemesis, ofNemesis]) =>
    `  ${nemesis.padEnd(18)} ${String(ofNemesis.length).padStart(3)} times: ${distributionOf(ofNemesis.map((fault) => endOf(fault) - fault.healedMs))}`)
}

function errorLines({ errors }: ChaosResult): string[] {
  const named = [...errors].sort((a, b) => b[1] - a[1]).map(([error, count]) => `${error} ${count}`)
  return named.length === 0 ? [] : [`errors that clients met: ${named.join(', ')}`]
}

function checkLines({ results }: ChaosResult): string[] {
  const passed = results.filter(({ count }) => count === 0).map(({ checker }) => checker)
  const failed = results.filter(({ count }) => count > 0)
  return [
    `checks passed: ${passed.join(', ')}`,
    ...failed.flatMap(({ checker, count, messages }) => [`VIOLATED ${checker} (${count}):`, ...messages.map((message) => `  ${message}`)]),
  ]
}

function summaryLines(result: ChaosResult): string[] {
  const { history, results, startedMs, endedMs, faults, seed } = result
  const sends = operations(history, 'send')
  const records = (outcome: string): number => sends.filter((send) => send.outcome === outcome).reduce((sum, { values }) => sum + values.length, 0)
  const found = (...names: readonly string[]): number => results.filter(({ checker }) => names.includes(checker)).reduce((sum, { count }) => sum + count, 0)
  return [
    `SEED=${seed}, ${seconds(endedMs - startedMs)} under load, ${faults.length} times something was broken: ${countsOf(faults)}`,
    `records: ${records('ok')} acknowledged, ${records('info')} unknown, ${records('fail')} refused`,
    `lost ${found('unseen', 'lost-write')}, duplicated ${found('duplicate')}, reordered ${found('nonmonotonic-send', 'K-LIN')}, `
      + `inconsistent offsets ${found('inconsistent-offsets')}, lost committed offsets ${found('K-OFFSET')}, replicas that differ or are damaged ${found('K-DISK')}`,
    ...(result.unreadRot === 0 ? [] : [`${result.unreadRot} bits that were turned around on a disk have not been read since, and lie as they were left`]),
    isClean(result) ? 'VERDICT: everything that was promised was kept' : 'VERDICT: BROKEN PROMISES, see above',
  ]
}

/** Of each nemesis how often it struck, alone or beside another. */
function countsOf(faults: ChaosResult['faults']): string {
  const counts = new Map<string, number>()
  for (const name of faults.flatMap(({ names }) => names)) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([name, count]) => `${name} ${count}`).join(', ')
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}
