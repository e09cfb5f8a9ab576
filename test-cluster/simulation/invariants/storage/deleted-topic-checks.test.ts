import { ErrorCode } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import { World } from '../../world/world.ts'
import { DeletedTopicChecks } from './deleted-topic-checks.ts'

const NODE = 1 as NodeId
const PARTITION = { topic: 't', partition: 0 }
const LEFT = '/data/t-0.0123456789abcdef0123456789abcdef-delete'

function judged(act: (checks: DeletedTopicChecks, world: World) => void): string | undefined {
  const world = new World({ seed: 1 })
  act(new DeletedTopicChecks({ fileDeleteDelayMs: 1_000 }, world), world)
  return world.violation?.name
}

test.each([['EIO', undefined], ['ENOSPC', undefined], ['ENOENT', 'S10 OfflineByItsDiskAlone'], ['EBADF', 'S10 OfflineByItsDiskAlone']])('a directory that fails by %s: %s', (code, violation) => {
  expect(judged((checks) => checks.directoryFailed(NODE, code, 'open'))).toBe(violation)
})

test('a log that is in the way of the next topic of its name is flagged, a failed disk is not', () => {
  expect(judged((checks) => checks.given(NODE, PARTITION, ErrorCode.INCONSISTENT_TOPIC_ID))).toBe('S11 SuccessorBeginsAnew')
  expect(judged((checks) => {
    checks.given(NODE, PARTITION, ErrorCode.KAFKA_STORAGE_ERROR)
    checks.given(NODE, PARTITION, null)
  })).toBeUndefined()
})

test('epochs that a topic has not reached are those of another', () => {
  expect(judged((checks) => checks.epochsWritten(NODE, '/data/t-0/leader-epoch-checkpoint', [0, 2], 2))).toBeUndefined()
  expect(judged((checks) => checks.epochsWritten(NODE, '/data/t-0/leader-epoch-checkpoint', [0, 3], 2))).toBe('S11 SuccessorBeginsAnew')
})

describe('what is left on a disk', () => {
  const found = (path: string) => [{ path, name: path.slice('/data/'.length) }]

  test('a directory that no topic uses is flagged', () => {
    expect(judged((checks) => checks.atQuiescence(NODE, found('/data/t-0'), () => false))).toBe('S12 DeletedLeavesTheDisk')
    expect(judged((checks) => checks.atQuiescence(NODE, found('/data/t-0'), () => true))).toBeUndefined()
  })

  test('one that was set aside for the operator is not', () => {
    expect(judged((checks) => checks.atQuiescence(NODE, found(LEFT.replace('-delete', '-stray')), () => false))).toBeUndefined()
  })

  test.each([[2_000, undefined], [4_000, 'S12 DeletedLeavesTheDisk']])('one that leaves, after %i ms: %s', (ageMs, violation) => {
    expect(judged((checks, world) => {
      checks.moved(NODE, LEFT)
      world.scheduler.advanceSync(ageMs)
      checks.atQuiescence(NODE, found(LEFT), () => false)
    })).toBe(violation)
  })

  test('one that a start should have removed is flagged', () => {
    expect(judged((checks) => checks.atQuiescence(NODE, found(LEFT), () => false))).toBe('S12 DeletedLeavesTheDisk')
  })
})
