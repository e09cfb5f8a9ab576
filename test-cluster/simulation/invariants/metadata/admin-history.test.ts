import { emptyImage } from '@kavka/controller'
import type { MetadataImage } from '@kavka/controller'
import { ErrorCode } from '@kavka/protocol'
import { World } from '../../world/world.ts'
import { AdminHistory } from './admin-history.ts'
import type { AdminOperation } from './admin-history.ts'
import { judgeLinearizability } from './linearizability.ts'

const CREATE: AdminOperation = { kind: 'create', partitions: 2, value: '' }
const DELETE: AdminOperation = { kind: 'delete' }
const EXISTS: AdminOperation = { kind: 'validate-create' }
const { NONE, TOPIC_ALREADY_EXISTS, UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS } = ErrorCode

type Line = readonly [fromMs: number, toMs: number, operation: AdminOperation, errorCode: number | null]

/** One line an operation; `committed`: what is there at each moment, for those who look. */
function violationOf(lines: readonly Line[], committed: (ms: number) => { partitions: number; value?: string } | null): string | undefined {
  const world = new World({ seed: 1 })
  const history = new AdminHistory(world, () => imageOf(committed(world.nowMs)))
  for (const [fromMs, toMs, operation, errorCode] of lines) {
    world.scheduler.after(fromMs, () => {
      const pending = history.invoked('t', operation)
      if (errorCode !== null) world.scheduler.after(toMs - fromMs, () => history.answered(pending, errorCode))
    })
  }
  world.scheduler.advanceSync(1_000)
  history.atQuiescence()
  expect(world.judged.get('R17 LinearizableMetadata')).toBe(1)
  return world.violation?.name
}

function imageOf(state: { partitions: number; value?: string } | null): MetadataImage {
  if (state === null) return emptyImage
  const topic = { id: 'id', name: 't', partitions: Array.from({ length: state.partitions }) }
  return {
    ...emptyImage,
    topics: { byId: new Map(), byName: new Map([['t', topic]]) },
    configs: new Map(state.value === undefined ? [] : [['2:t', new Map([['max.message.bytes', state.value]])]]),
  } as unknown as MetadataImage
}

describe('R17 LinearizableMetadata passes', () => {
  test('one thing after the other', () => {
    const lines: Line[] = [[1, 5, CREATE, NONE], [6, 9, CREATE, TOPIC_ALREADY_EXISTS], [10, 20, DELETE, NONE], [21, 22, DELETE, UNKNOWN_TOPIC_OR_PARTITION]]
    expect(violationOf(lines, (ms) => (ms < 4 || ms > 15 ? null : { partitions: 2 }))).toBeUndefined()
  })

  test('concurrent operations in whatever order explains them', () => {
    expect(violationOf([[1, 20, DELETE, NONE], [2, 19, CREATE, NONE]], (ms) => (ms > 3 && ms < 10 ? { partitions: 2 } : null))).toBeUndefined()
  })

  test('an operation without an answer that takes effect late, or never', () => {
    expect(violationOf([[1, 1, CREATE, null], [50, 60, EXISTS, NONE]], (ms) => (ms < 100 ? null : { partitions: 2 }))).toBeUndefined()
    expect(violationOf([[1, 1, CREATE, null], [50, 60, EXISTS, NONE]], () => null)).toBeUndefined()
  })

  test('more partitions only where there are fewer, and settings', () => {
    const grow: AdminOperation = { kind: 'add-partitions', count: 3 }
    const lines: Line[] = [[1, 5, CREATE, NONE], [6, 9, grow, NONE], [10, 12, grow, INVALID_PARTITIONS], [13, 14, { kind: 'alter', value: '7' }, NONE]]
    expect(violationOf(lines, (ms) => (ms < 4 ? null : { partitions: ms < 8 ? 2 : 3, ...(ms > 13 ? { value: '7' } : {}) }))).toBeUndefined()
  })
})

describe('R17 LinearizableMetadata flags', () => {
  test('a topic that was created and is not there', () => {
    expect(violationOf([[1, 5, CREATE, NONE]], () => null)).toBe('R17 LinearizableMetadata')
  })

  test('an answer from the past', () => {
    const lines: Line[] = [[1, 5, CREATE, NONE], [6, 9, DELETE, NONE], [10, 11, CREATE, TOPIC_ALREADY_EXISTS]]
    expect(violationOf(lines, (ms) => (ms > 4 && ms < 8 ? { partitions: 2 } : null))).toBe('R17 LinearizableMetadata')
  })

  test('an answer about what was never committed', () => {
    expect(violationOf([[1, 5, EXISTS, TOPIC_ALREADY_EXISTS]], () => null)).toBe('R17 LinearizableMetadata')
  })

  test('a setting that went back', () => {
    const set = (value: string): AdminOperation => ({ kind: 'alter', value })
    const lines: Line[] = [[1, 5, CREATE, NONE], [6, 9, set('1'), NONE], [10, 14, set('2'), NONE], [20, 30, EXISTS, TOPIC_ALREADY_EXISTS]]
    const value = (ms: number): { value?: string } => (ms < 7 ? {} : { value: ms > 12 && ms < 16 ? '2' : '1' })
    expect(violationOf(lines, (ms) => (ms < 4 ? null : { partitions: 2, ...value(ms) }))).toBe('R17 LinearizableMetadata')
  })

  test('one creation too many', () => {
    expect(violationOf([[1, 9, CREATE, NONE], [2, 8, CREATE, NONE]], (ms) => (ms < 4 ? null : { partitions: 2 }))).toBe('R17 LinearizableMetadata')
  })
})

test('a search that takes too long says so', () => {
  const unanswered = Array.from({ length: 20 }, (_, index) => ({ invokedMs: 0, answeredMs: Infinity, apply: (state: string) => `${state}${index},` }))
  const never = { invokedMs: 1, answeredMs: 2, apply: () => null }
  expect(judgeLinearizability([...unanswered, never], '', 1_000)).toBe('gave-up')
})
