import type { Logger } from '@kavka/kernel'
import { ErrorCode, topicPartitionName } from '@kavka/protocol'
import type { Offset } from '@kavka/protocol'
import type { PartitionLog } from '@kavka/storage'
import type { FollowerState } from '../core/follower-state.ts'
import type { LeaderPartitionFrame } from '../ports.ts'

/**
 * `advanced`: appended or observed; `restarted`: announce the position anew at once; `back-off`: announce it anew later;
 * `ignored`: the frame is not for the position that was announced, or the log takes none.
 */
export type FollowOutcome = 'advanced' | 'restarted' | 'back-off' | 'ignored'

/** Does to the follower's log what its state decided about one partition of a leader's frame. */
export function applyLeaderFrame(
  frame: LeaderPartitionFrame,
  state: FollowerState,
  log: PartitionLog,
  logger: Logger,
): FollowOutcome {
  const action = state.decide(frame, log)
  switch (action.kind) {
    case 'append':
      return append(action.records, frame, state, log, logger)
    case 'observe':
      observe(frame, state, log)
      return 'advanced'
    case 'start-at-batch':
      log.truncateFullyAndStartAt(action.startOffset)
      return append(action.records, frame, state, log, logger)
    case 'truncate':
      return truncate(action.endOffset, state, log, logger)
    case 'start-over':
      noteTruncation(action.startOffset, state, log, logger)
      log.truncateFullyAndStartAt(action.startOffset)
      return 'restarted'
    case 'restart':
      return 'restarted'
    case 'back-off':
      return 'back-off'
    case 'ignore':
      return 'ignored'
  }
}

function append(
  records: readonly Buffer[],
  frame: LeaderPartitionFrame,
  state: FollowerState,
  log: PartitionLog,
  logger: Logger,
): FollowOutcome {
  for (const piece of records) {
    const outcome = log.appendAsFollower(piece, state.leaderEpoch)
    if (outcome.kind === 'appended') continue
    const { errorCode, message } = outcome
    logger.error({ partition: topicPartitionName(log.topicPartition), errorCode }, `cannot append: ${message}`)
    return errorCode === ErrorCode.KAFKA_STORAGE_ERROR ? 'ignored' : 'back-off'
  }
  observe(frame, state, log)
  return 'advanced'
}

/** A position that did not change would be answered as before: asking at once would spin. */
function truncate(endOffset: Offset, state: FollowerState, log: PartitionLog, logger: Logger): FollowOutcome {
  const { logEndOffset, latestEpoch } = log
  noteTruncation(endOffset, state, log, logger)
  log.truncateTo(endOffset)
  return log.logEndOffset === logEndOffset && log.latestEpoch === latestEpoch ? 'back-off' : 'restarted'
}

function observe(frame: LeaderPartitionFrame, state: FollowerState, log: PartitionLog): void {
  const highWatermark = state.highWatermarkAfter(frame, log)
  if (highWatermark !== null) log.updateHighWatermark(highWatermark)
  const logStart = state.logStartAfter(frame, log)
  if (logStart !== null) log.advanceLogStartOffset(logStart)
}

function noteTruncation(to: number, state: FollowerState, log: PartitionLog, logger: Logger): void {
  const details = {
    partition: topicPartitionName(log.topicPartition),
    from: log.logEndOffset,
    to,
    leaderEpoch: state.leaderEpoch,
  }
  if (to < log.highWatermark) logger.warn(details, 'truncating below the high watermark')
  else logger.info(details, 'truncating')
}
