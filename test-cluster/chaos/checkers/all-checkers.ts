import { assignments } from './assignments.ts'
import type { Checker } from './checker.ts'
import { committedOffsets } from './committed-offsets.ts'
import { highWatermark, realtimeLag } from './freshness.ts'
import { dirtyLeader, epochs } from './leadership.ts'
import { duplicate, inconsistentOffsets, lostWrite, refusedWrite, unseen } from './log-contents.ts'
import { linearizableAppends, nonmonotonicPoll, nonmonotonicSend, pollSkip } from './order.ts'

/** Every checker of histories. K-AVAIL, K-DISK and K-CLEAN look at other things and stand beside it. */
export const historyCheckers: readonly Checker[] = [
  inconsistentOffsets, duplicate, lostWrite, unseen, refusedWrite, pollSkip, nonmonotonicPoll, nonmonotonicSend, linearizableAppends,
  realtimeLag, highWatermark, committedOffsets, dirtyLeader, epochs, assignments,
]
