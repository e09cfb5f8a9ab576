import { silentLogger } from '@kavka/kernel'
import type { Logger } from '@kavka/kernel'
import { VirtualScheduler } from '@kavka/testkit'
import { RefusalLog } from './refusal-log.ts'

test('ten lines a second, and how many were left out', async () => {
  const lines: unknown[] = []
  const logger: Logger = { ...silentLogger, info: ((details: unknown) => void lines.push(details)) as Logger['info'] }
  const clock = new VirtualScheduler()
  const log = new RefusalLog({ logger, clock })
  for (let index = 0; index < 25; index++) log.write({ index }, 'refused')
  expect(lines).toHaveLength(10)
  await clock.advance(1000)
  log.write({ index: 25 }, 'refused')
  expect(lines.slice(10)).toEqual([{ suppressed: 15 }, { index: 25 }])
})
