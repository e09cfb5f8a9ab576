import type { HistoryRecorder } from '../history/recorder.ts'
import type { ClusterView } from './cluster-view.ts'

/** What every process of the workload is given. */
export interface WorkloadContext {
  readonly view: ClusterView
  readonly history: HistoryRecorder
  readonly nowMs: () => number
  readonly random: () => number
  /** Names of errors met, with how often. */
  readonly errors: Map<string, number>
}

/** A client that goes on until it is told to stop. */
export interface ClientProcess {
  /** Resolves after `stop` when what it had begun has ended, one way or another. */
  run(): Promise<void>
  stop(): void
}

export function countError({ errors }: WorkloadContext, error: string): void {
  errors.set(error, (errors.get(error) ?? 0) + 1)
}
