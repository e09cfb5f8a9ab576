/** When the active segment is closed and a new one begun (Kafka's LogSegment.shouldRoll). Pure. */

export interface RollQuestion {
  readonly segmentBytes: number
  readonly segmentBaseOffset: number
  /** Timestamp of the segment's first batch, null when it had none. */
  readonly firstTimestampMs: number | null
  readonly createdMs: number
  readonly indexEntriesFull: boolean
  readonly incomingBytes: number
  readonly incomingLastOffset: number
  readonly incomingMaxTimestampMs: number
  readonly nowMs: number
}

export interface RollLimits {
  readonly segmentBytes: number
  /** `segment.ms` less this segment's jitter. */
  readonly segmentMs: number
}

const RELATIVE_OFFSET_MAX = 0x7fff_ffff

export type RollReason = 'size' | 'time' | 'index' | 'offset'

/** Why the incoming batch must go to a new segment; null when it fits. An empty segment is never rolled for age. */
export function rollReason(question: RollQuestion, limits: RollLimits): RollReason | null {
  if (question.segmentBytes + question.incomingBytes > limits.segmentBytes) return 'size'
  if (question.segmentBytes > 0 && ageMs(question) > limits.segmentMs) return 'time'
  if (question.indexEntriesFull) return 'index'
  if (question.incomingLastOffset - question.segmentBaseOffset > RELATIVE_OFFSET_MAX) return 'offset'
  return null
}

/** By record time where the segment has one, so that a catching-up replica rolls where its leader did; else by the clock. */
function ageMs(question: RollQuestion): number {
  if (question.firstTimestampMs !== null && question.firstTimestampMs >= 0) {
    return question.incomingMaxTimestampMs - question.firstTimestampMs
  }
  return question.nowMs - question.createdMs
}
