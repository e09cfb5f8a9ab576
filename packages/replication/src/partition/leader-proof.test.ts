import type { LeaderEpoch } from '@kavka/protocol'
import type { LogReadOutcome, LogReadRequest, PartitionLog } from '@kavka/storage'
import { VirtualScheduler } from '@kavka/testkit'
import { LeaderProof } from './leader-proof.ts'

const EPOCH = 3 as LeaderEpoch

/** A log of a hundred offsets whose reads are answered by the test. */
function proofOver(answer: (request: LogReadRequest) => LogReadOutcome) {
  const scheduler = new VirtualScheduler()
  let reads = 0
  const read = async (request: LogReadRequest): Promise<LogReadOutcome> => {
    reads++
    return answer(request)
  }
  const log = { logStartOffset: 0, logEndOffset: 100, read } as unknown as PartitionLog
  // As whoever was told to wait: it asks again as soon as it is told.
  const proof: LeaderProof = new LeaderProof({ scheduler, isCurrent: () => true, settled: () => void proof.state(log, EPOCH) })
  const state = () => proof.state(log, EPOCH)
  return { scheduler, state, reads: () => reads }
}

const upTo = (nextOffset: number): LogReadOutcome => ({ kind: 'read', records: [], sizeBytes: 0, nextOffset: nextOffset as never })

test('a log that is read to its end is sound', async () => {
  const { scheduler, state, reads } = proofOver(({ startOffset }) => upTo(startOffset + 50))
  expect(state()).toBe('running')
  await scheduler.advance(10)
  expect([state(), reads()]).toEqual(['sound', 2])
})

test('where nothing can be read now it is tried again after a while, not in each turn', async () => {
  const { scheduler, state, reads } = proofOver(({ startOffset }) => upTo(startOffset))
  state()
  await scheduler.advance(0)
  await scheduler.advance(0)
  expect([state(), reads()]).toEqual(['running', 1])
  await scheduler.advance(1_001)
  expect([state(), reads()]).toEqual(['running', 2])
})
