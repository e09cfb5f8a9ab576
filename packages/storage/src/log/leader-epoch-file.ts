import { replaceFileDurably } from '@kavka/kernel'
import { formatLeaderEpochs } from '../files/checkpoint-text.ts'
import type { LogState } from './log-state.ts'

export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint'

/** Brings the file up to what is known, on the disk when it returns. */
export function writeEpochs(log: LogState): void {
  if (!log.epochsDirty || log.ports.logDirectory.failure !== null) return
  log.guarded(() => {
    replaceFileDurably(log.ports.fs, `${log.directory}/${LEADER_EPOCH_FILE}`, formatLeaderEpochs(log.epochs.entries))
    log.epochsDirty = false
  })
}
