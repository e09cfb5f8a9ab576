import type { Scheduler } from '@kavka/kernel'
import type { DiskLog } from '../log/disk-log.ts'
import { RetentionRounds } from './retention-rounds.ts'

/** Logs with so many pieces to delete each; deleting one takes `pieceMs`. */
function world(pieces: readonly number[], pieceMs: number) {
  let nowMs = 0
  const turns: (() => void)[] = []
  const scheduler = { monotonicMs: () => nowMs, soon: (callback: () => void) => void turns.push(callback) } as Partial<Scheduler> as Scheduler
  const left = [...pieces]
  const logs = left.map((_, index) => index as unknown as DiskLog)
  const deleted: number[] = []
  const deleteSome = (log: DiskLog): boolean => {
    const index = log as unknown as number
    if (left[index] === 0) return false
    left[index]!--
    nowMs += pieceMs
    deleted.push(index)
    return true
  }
  const rounds = new RetentionRounds({ scheduler, logs: () => logs, deleteSome })
  return { rounds, turns, left, deleted }
}

test('a round that costs nothing is over in one turn', () => {
  const { rounds, turns, left } = world([0, 2, 0, 3], 0)
  rounds.begin()
  expect([left, turns.length]).toEqual([[0, 0, 0, 0], 0])
})

test('after two milliseconds of a turn nothing else is begun in it, and the round goes on in the next', () => {
  const { rounds, turns, deleted } = world([3, 0, 2], 1)
  rounds.begin()
  expect([deleted, turns.length]).toEqual([[0, 0], 1])
  turns.shift()!()
  expect([deleted, turns.length]).toEqual([[0, 0, 0, 2], 1])
  turns.shift()!()
  expect([deleted, turns.length]).toEqual([[0, 0, 0, 2, 2], 0])
})

test('a round that is due while one is under way is that one; the next begins anew', () => {
  const { rounds, turns, left, deleted } = world([2], 5)
  rounds.begin()
  rounds.begin()
  expect(turns).toHaveLength(1)
  while (turns.length > 0) turns.shift()!()
  expect(deleted).toHaveLength(2)
  left[0] = 1
  rounds.begin()
  expect(deleted).toHaveLength(3)
})

test('nothing more goes once it is stopped', () => {
  const { rounds, turns, deleted } = world([2], 5)
  rounds.begin()
  rounds.stop()
  turns.shift()!()
  expect(deleted).toHaveLength(1)
})
