/**
 * Collects garbage while a node has nothing else to do. V8 starts a full collection when the heap has grown by its room
 * (heap-growth.ts), which takes a node that idles an hour: until then it would keep what its start or its last burst left behind.
 */
import { performance } from 'node:perf_hooks'
import type { EventLoopUtilization } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { every } from '@kavka/kernel'
import type { Scheduler, TimerHandle } from '@kavka/kernel'

const CHECK_MS = 1_000
/** A share of the time between two checks; a node without clients is busy for about 0.01. */
const QUIET_UTILIZATION_MAX = 0.05
/** Less than this is not worth a pause of 20 ms. */
const GROWTH_BYTES_MIN = 16 * 1024 * 1024
/** Collections of a node that does a little now and then are rare, whatever it leaves. */
const BETWEEN_MS_MIN = 60_000

export interface IdleCollectionDependencies {
  readonly scheduler: Scheduler
  /** Share of the time since the call before that the event loop was busy. */
  readonly utilization: () => number
  /** Live and dead: what objects and Buffers take. */
  readonly usedBytes: () => number
  /** A full collection, done when it returns. */
  readonly collect: () => void
}

/** Starts looking for quiet times; the first collects what the start left. */
export function collectWhenIdle(dependencies: IdleCollectionDependencies): TimerHandle {
  const { scheduler, utilization, usedBytes, collect } = dependencies
  let floorBytes = 0
  let collectedMs = -Infinity
  return every(scheduler, CHECK_MS, () => {
    const isQuiet = utilization() <= QUIET_UTILIZATION_MAX
    const used = usedBytes()
    // V8's own collections lower it too.
    floorBytes = Math.min(floorBytes, used)
    if (!isQuiet || used - floorBytes < GROWTH_BYTES_MIN || scheduler.monotonicMs() - collectedMs < BETWEEN_MS_MIN) return
    collect()
    collectedMs = scheduler.monotonicMs()
    floorBytes = usedBytes()
  })
}

/** Of this process, since the call before. */
export function sinceLastCall(): () => number {
  let last: EventLoopUtilization = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}

/** Of this process: objects and the memory of Buffers. */
export function usedByObjects(): number {
  const { used_heap_size: heapBytes, external_memory: externalBytes } = getHeapStatistics()
  return heapBytes + externalBytes
}

/** Of this process. V8 hands its collector to contexts that are made after the flag is set. */
export function collectFully(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
