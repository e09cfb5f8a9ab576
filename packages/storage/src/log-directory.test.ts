import { AssertionError, silentLogger } from '@kavka/kernel'
import type { Uuid } from '@kavka/protocol'
import { LogDirectory } from './log-directory.ts'

const directory = () => new LogDirectory({ path: '/data', directoryId: 'ASNFZ4mrze_-3LqYdlQyEA' as Uuid }, { logger: silentLogger })

/** As thrown by a read behind the end of a buffer. */
function outOfRange(): unknown {
  try {
    return Buffer.alloc(2).readInt32BE(0)
  } catch (error) {
    return error
  }
}

test('an error of the disk takes it out of service, once', () => {
  const log = directory()
  const causes: Error[] = []
  log.onFailed((cause) => causes.push(cause))
  for (const code of ['EIO', 'ENOSPC']) log.fail(Object.assign(new Error(code), { code }))
  expect([log.state, causes.map(({ message }) => message)]).toEqual(['offline', ['EIO']])
})

test.each([['a mistake in the use of a buffer', outOfRange()], ['an assertion', new AssertionError('never')], ['a type error', new TypeError('of undefined')]])(
  '%s does not pass for a broken disk',
  (_name, mistake) => {
    const log = directory()
    expect(() => log.fail(mistake)).toThrow(mistake as Error)
    expect(log.state).toBe('online')
  },
)
