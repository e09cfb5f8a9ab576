/** Which whole segments go, and why (Kafka's UnifiedLog.deleteOldSegments). Pure. */

export interface RetentionSegment {
  readonly baseOffset: number
  /** Base of the next segment, or the log end for the last one. */
  readonly endOffset: number
  readonly sizeBytes: number
  /** Largest record timestamp, or the time it was last written where records have none. */
  readonly largestTimestampMs: number
}

export interface RetentionLimits {
  /** -1: no limit. */
  readonly retentionMs: number
  /** -1: no limit. */
  readonly retentionBytes: number
  readonly cleanupPolicy: readonly ('delete' | 'compact')[]
}

export interface RetentionState {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly nowMs: number
}

export type RetentionReason = 'time' | 'size' | 'start-offset'

export interface RetentionPlan {
  /** This many segments go, oldest first. */
  readonly count: number
  /** Of the last one to go. */
  readonly reason: RetentionReason
}

/**
 * Segments go from the oldest on, and only whole below the high watermark. `start-offset` (DeleteRecords) applies whatever the
 * policy, the limits only with `delete`. All may go when expired by time: the caller then rolls first. Null: none.
 */
export function planRetention(segments: readonly RetentionSegment[], limits: RetentionLimits, state: RetentionState): RetentionPlan | null {
  const candidates: RetentionPlan[] = [{ count: countBelowStart(segments, state), reason: 'start-offset' }]
  if (limits.cleanupPolicy.includes('delete')) {
    candidates.push({ count: countExpired(segments, limits, state), reason: 'time' })
    candidates.push({ count: countExcess(segments, limits, state), reason: 'size' })
  }
  const plan = candidates.reduce((most, candidate) => (candidate.count > most.count ? candidate : most))
  return plan.count === 0 ? null : plan
}

function countBelowStart(segments: readonly RetentionSegment[], state: RetentionState): number {
  return countWhile(segments, (segment, isLast) => !isLast && segment.endOffset <= state.logStartOffset)
}

function countExpired(segments: readonly RetentionSegment[], limits: RetentionLimits, state: RetentionState): number {
  if (limits.retentionMs < 0) return 0
  return countWhile(
    segments,
    (segment) => segment.sizeBytes > 0 && segment.endOffset <= state.highWatermark && state.nowMs - segment.largestTimestampMs > limits.retentionMs,
  )
}

function countExcess(segments: readonly RetentionSegment[], limits: RetentionLimits, state: RetentionState): number {
  let excessBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0) - limits.retentionBytes
  if (limits.retentionBytes < 0 || excessBytes < 0) return 0
  return countWhile(segments, (segment) => {
    if (segment.sizeBytes === 0 || segment.endOffset > state.highWatermark || excessBytes < segment.sizeBytes) return false
    excessBytes -= segment.sizeBytes
    return true
  })
}

function countWhile(segments: readonly RetentionSegment[], goes: (segment: RetentionSegment, isLast: boolean) => boolean): number {
  const kept = segments.findIndex((segment, index) => !goes(segment, index === segments.length - 1))
  return kept < 0 ? segments.length : kept
}
