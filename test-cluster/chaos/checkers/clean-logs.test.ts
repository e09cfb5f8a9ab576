import { alarmsIn } from './clean-logs.ts'

test.each([
  'AssertionError: high watermark above the log end',
  '[2026-01-01] FATAL assertion failed: epoch must ascend (kafka.server)',
  'node:internal/process: Unhandled rejection Error: x',
  'TypeError: cannot read properties of undefined',
  'Uncaught exception: boom',
  'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  'Segmentation fault (core dumped)',
])('flags: %s', (line) => {
  expect(alarmsIn(`INFO fine\n${line}\nINFO fine`)).toHaveLength(1)
})

test.each([
  '',
  'INFO serving on 127.0.0.1:9092\nWARN connection reset by peer',
  'ERROR log directory offline: ENOSPC: no space left on device, write',
  'INFO raft: voter 2 refused: connect ECONNREFUSED',
])('passes: %s', (log) => {
  expect(alarmsIn(log)).toEqual([])
})
