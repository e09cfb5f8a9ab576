import type { LogCorruption } from '../../partition-log.ts'
import type { LeaderEpochs } from '../epochs/leader-epochs.ts'
import type { ProducerSnapshots } from '../producers/producer-snapshots.ts'
import type { ProducerState } from '../producers/producer-state.ts'
import type { SegmentList } from '../segment/segment-list.ts'

/** What was found on disk, or made for a new log. */
export interface LoadedLog {
  readonly segments: SegmentList
  readonly epochs: LeaderEpochs
  readonly producers: ProducerState
  readonly snapshots: ProducerSnapshots
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** Below it all is known to be on the disk. */
  readonly recoveryPoint: number
  /** As `recovery-point-offset-checkpoint` says; beyond the log end when the log is damaged. */
  readonly recordedPoint: number
  /**
   * The log is new, or was not closed cleanly: a process that was killed may have left names in the page cache alone, and files lost
   * with their names were made again. The first sync covers them, or a power cut would take what was synced under them.
   */
  readonly hasUnsyncedNames: boolean
  /** Batches or segment ends behind the recovery point were found after an unclean stop: they may not be synced. */
  readonly isRecovered: boolean
  /** The epochs are not what their file says. */
  readonly epochsChanged: boolean
  readonly corruption: LogCorruption | null
}
