import { AssertionError, silentLogger } from '@kavka/kernel'
import type { Logger } from '@kavka/kernel'
import { watchedLogger } from './watched-logger.ts'

function scene() {
  const lines: unknown[] = []
  const found: string[] = []
  const inner: Logger = { ...silentLogger, error: (...line: unknown[]) => void lines.push(line) }
  return { lines, found, logger: watchedLogger({ ...inner, child: (() => inner) as never }, (mistake, message) => found.push(`${message}: ${mistake.message}`)) }
}

test('mistakes are found, by children of the logger too, and every line is passed on', () => {
  const { logger, lines, found } = scene()
  logger.error({ err: new TypeError('a is not a function') }, 'a publisher failed')
  logger.child({ logger: 'x' }).error({ err: new AssertionError('never') }, 'again')
  expect(found).toEqual(['a publisher failed: a is not a function', 'again: never'])
  expect(lines).toHaveLength(2)
})

test('broken disks and lost peers are no mistakes', () => {
  const { logger, lines, found } = scene()
  logger.error({ err: Object.assign(new Error('EIO'), { code: 'EIO' }) }, 'a directory failed')
  logger.error({ err: new Error('connection lost') })
  logger.error('no fields')
  expect([found, lines.length]).toEqual([[], 3])
})
