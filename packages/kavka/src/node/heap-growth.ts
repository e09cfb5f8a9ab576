/**
 * How much may be allocated between two full collections of the heap.
 *
 * V8 counts the memory of Buffers against the limit of the JavaScript heap, which it keeps 8 MB above what is live when
 * objects die young. A broker's heap is small and all its traffic goes through Buffers, so it marked its whole heap for every
 * 8 MB of records: half of all CPU time of a loaded node (docs/performance.md). Here the limit gets room for Buffers, as an
 * amount that does not grow with the heap; where the heap is large the room is a share of it, as V8's own rule would have it.
 */
import { constants, PerformanceObserver } from 'node:perf_hooks'
import type { PerformanceEntry } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** More gains little: at 88 MB collections take a tenth of the time they took. */
const ROOM_BYTES = 88 * 1024 * 1024
const ROOM_PERCENT_MIN = 50
/** Live after the start of a node. */
const HEAP_AT_START_BYTES = 20 * 1024 * 1024

/** For the process of a node; call once. V8 reads the flag each time it sets the limit anew, which is after a full collection. */
export function giveBuffersRoom(): void {
  setGrowth(HEAP_AT_START_BYTES)
  const observer = new PerformanceObserver((list) => {
    const collections = list.getEntries() as GcEntry[]
    const wasFull = collections.some(({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR)
    if (wasFull) setGrowth(getHeapStatistics().used_heap_size)
  })
  observer.observe({ entryTypes: ['gc'] })
}

/** Percent of the live heap by which it may grow until the next full collection. */
export function growthPercent(liveBytes: number): number {
  return Math.max(ROOM_PERCENT_MIN, Math.ceil((ROOM_BYTES / liveBytes) * 100))
}

/** Node's types leave out what distinguishes the entries of `gc`. */
type GcEntry = PerformanceEntry & { readonly detail: { readonly kind: number } }

function setGrowth(liveBytes: number): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent(liveBytes)}`)
}
