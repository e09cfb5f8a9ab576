import type { LogCorruption } from '../partition-log.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { ProducerSnapshots } from './producer-snapshots.ts'
import type { ProducerState } from './producer-state.ts'
import type { SegmentList } from './segment-list.ts'

/** What was found on disk, or made for a new log. */
export interface LoadedLog {
  readonly segments: SegmentList
  readonly epochs: LeaderEpochs
  readonly producers: ProducerState
  readonly snapshots: ProducerSnapshots
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly recoveryPoint: number
  /** The log is new: its names are not on the disk yet. */
  readonly isNew: boolean
  /** Batches were walked after an unclean stop: indexes in memory are newer than their files, the tail may be unsynced. */
  readonly isRecovered: boolean
  /** The epochs are not what their file says. */
  readonly epochsChanged: boolean
  readonly corruption: LogCorruption | null
}
