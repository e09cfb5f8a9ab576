import { errorCodesIn } from './error-codes-in.ts'

test('codes at every depth, none for success', () => {
  const response = {
    errorCode: 0,
    topics: [
      { name: 'a', partitions: [{ errorCode: 6 }, { errorCode: 0 }, {}] },
      { name: 'b', errorCode: 3, partitions: [] },
    ],
    records: Buffer.from([1]),
    ids: [1, 2, 3],
    nothing: null,
  }
  expect(errorCodesIn(response)).toEqual([6, 3])
  expect(errorCodesIn({ topics: [{ errorCode: 0 }] })).toEqual([])
})
