import type { AcknowledgedBatch, PartitionWriter } from './partition-writer.ts'
import { judge } from './verdict.ts'

type Acknowledgment = readonly [firstIndex: number, count: number, baseOffset: number]

function writer(acknowledged: readonly Acknowledgment[], idempotent = true): PartitionWriter {
  const batches = acknowledged.map(([firstIndex, count, baseOffset]): AcknowledgedBatch => ({
    firstIndex, count, baseOffset, invokedMs: 0, acknowledgedMs: 1, attempts: 1,
  }))
  return {
    acknowledged: batches,
    options: { name: 'w', partition: 0, producer: idempotent ? { producerId: 1, producerEpoch: 0 } : null },
  } as unknown as PartitionWriter
}

function log(...indexes: readonly number[]): { offset: number; value: string }[] {
  return indexes.map((index, offset) => ({ offset, value: `w/0/${index}/...` }))
}

const clean = { lost: 0, duplicated: 0, reordered: 0, duplicatesAllowed: 0 }

test('a log that holds what was acknowledged passes', () => {
  expect(judge(writer([[0, 2, 0], [2, 1, 2]]), log(0, 1, 2))).toEqual({ ...clean, acknowledged: 3 })
  expect(judge(writer([[0, 2, 0]]), log(0, 1, 2, 3))).toEqual({ ...clean, acknowledged: 2 })
  expect(judge(writer([]), log())).toEqual({ ...clean, acknowledged: 0 })
})

test('a missing record, a moved one and a replaced one are lost', () => {
  expect(judge(writer([[0, 3, 0]]), log(0, 1))).toMatchObject({ lost: 1 })
  expect(judge(writer([[0, 1, 1]]), log(0))).toMatchObject({ lost: 1 })
  expect(judge(writer([[0, 2, 0]]), log(0, 5))).toMatchObject({ lost: 1 })
})

test('a record twice is a duplicate for an idempotent producer and allowed for another', () => {
  expect(judge(writer([[0, 2, 0]]), log(0, 1, 0, 1))).toMatchObject({ duplicated: 2, duplicatesAllowed: 0 })
  expect(judge(writer([[0, 2, 0]], false), log(0, 1, 0, 1))).toMatchObject({ duplicated: 0, duplicatesAllowed: 2 })
  expect(judge(writer([[0, 1, 1]], false), log(0, 0))).toMatchObject({ lost: 0, duplicatesAllowed: 1 })
})

test('a record after a later one is reordered', () => {
  expect(judge(writer([]), log(0, 2, 1))).toMatchObject({ reordered: 1 })
  expect(judge(writer([]), log(1, 0))).toMatchObject({ reordered: 1 })
  expect(judge(writer([]), log(0, 1, 2))).toMatchObject({ reordered: 0 })
})
