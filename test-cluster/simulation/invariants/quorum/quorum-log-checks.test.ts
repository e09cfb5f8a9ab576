import type { KeyValueWrite } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { World } from '../../world/world.ts'
import { QuorumLogChecks } from './quorum-log-checks.ts'

/** Logs of three voters by hand, as the quorum would store them. */
function voters(): {
  readonly world: World
  readonly checks: QuorumLogChecks
  append(id: number, ...entries: (readonly [number, number])[]): void
  cut(id: number, to: number): void
} {
  const world = new World({ seed: 1 })
  const ids = [1, 2, 3] as NodeId[]
  const checks = new QuorumLogChecks({ voterIds: ids }, { world })
  return {
    world, checks,
    append: (id, ...entries) => checks.stored(id as NodeId, entries.map(([offset, epoch]) => entry(offset, epoch))),
    cut: (id, to) => checks.stored(id as NodeId, [{ kind: 'delete-range', from: key(to), to: 'raft/log/~' }]),
  }
}

function key(offset: number): string {
  return `raft/log/${String(offset).padStart(16, '0')}`
}

function entry(offset: number, epoch: number, payload = 'x'): KeyValueWrite & { readonly kind: 'put' } {
  const value = Buffer.alloc(9 + payload.length)
  value.writeUInt32BE(epoch, 5)
  value.write(payload, 9)
  return { kind: 'put', key: key(offset), value }
}

describe('R4 LogMatching', () => {
  test('the same entry after the same prefix is fine, wherever the log was cut', () => {
    const { world, append, checks } = voters()
    append(1, [0, 1], [1, 1], [2, 2])
    append(2, [0, 1], [1, 1])
    checks.stored(2 as NodeId, [
      { kind: 'delete-range', from: key(0), to: key(1) },
      { kind: 'put', key: 'raft/log-start', value: Buffer.from('....{"offset":1,"previousEpoch":1}') },
    ])
    append(2, [2, 2])
    expect(world.violation).toBeNull()
    expect(world.judged.get('R4 LogMatching')).toBe(12)
  })

  test('the same entry after another prefix is flagged', () => {
    const { world, append } = voters()
    append(1, [0, 1], [1, 1], [2, 3])
    append(2, [0, 1], [1, 2], [2, 3])
    expect(world.violation?.name).toBe('R4 LogMatching')
  })

  test('another entry in the same place of the same epoch is flagged', () => {
    const { world, append, checks } = voters()
    append(1, [0, 1])
    checks.stored(2 as NodeId, [entry(0, 1, 'y')])
    expect(world.violation?.name).toBe('R4 LogMatching')
  })

  test('an entry in the place of another that was not cut is flagged', () => {
    const { world, append, cut } = voters()
    append(1, [0, 1], [1, 1], [2, 1])
    cut(1, 2)
    append(1, [2, 2])
    expect(world.violation).toBeNull()
    append(1, [1, 3])
    expect(world.violation?.name).toBe('R4 LogMatching')
  })

  test('a store that a process starts on is judged as well', () => {
    const { world, append, checks } = voters()
    append(1, [0, 1], [1, 1])
    const { key: path, value } = entry(0, 1, 'y')
    checks.started(2 as NodeId, new Map([[path, value]]))
    expect(world.violation?.name).toBe('R4 LogMatching')
  })
})

test('R8: what a leader has committed has reached a majority', () => {
  const { world, append, checks } = voters()
  append(1, [0, 1], [1, 1])
  append(2, [0, 1])
  const leader = { nodeId: 1 as NodeId, epoch: 1, logEndOffset: 2 }
  checks.leaderCommitted({ ...leader, highWatermark: 1 })
  expect(world.violation).toBeNull()
  checks.leaderCommitted({ ...leader, highWatermark: 2 })
  expect(world.violation?.name).toBe('R8 MajorityReachedHW')
})

describe('R9 QuorumLog', () => {
  test('what is committed is on a majority', () => {
    const { world, append, checks } = voters()
    append(1, [0, 1])
    append(2, [0, 1])
    checks.committed(0, 1)
    expect(world.violation).toBeNull()
  })

  test('a majority without it is flagged, also when it comes about later', () => {
    const { world, append, checks, cut } = voters()
    append(1, [0, 1], [1, 1])
    append(2, [0, 1], [1, 1])
    checks.committed(0, 1)
    cut(2, 1)
    expect(world.violation).toBeNull()
    checks.started(2 as NodeId, new Map())
    expect(world.violation?.name).toBe('R9 QuorumLog')
  })

  test('a majority with something else in its place is flagged', () => {
    const { world, append, checks } = voters()
    append(1, [0, 2])
    append(2, [0, 1])
    append(3, [0, 1])
    checks.committed(0, 2)
    expect(world.violation?.name).toBe('R9 QuorumLog')
  })
})

describe('R10 MonotonicHW', () => {
  test('the newest leader never commits less than one before it', () => {
    const { world, append, checks } = voters()
    for (const id of [1, 2, 3]) append(id, [0, 1], [1, 1], [2, 2])
    checks.leaderCommitted({ nodeId: 1 as NodeId, epoch: 1, highWatermark: 2, logEndOffset: 2 })
    checks.leaderCommitted({ nodeId: 2 as NodeId, epoch: 2, highWatermark: 3, logEndOffset: 3 })
    // Answers that were under way may still reach a leader of the past.
    checks.leaderCommitted({ nodeId: 1 as NodeId, epoch: 1, highWatermark: 2, logEndOffset: 2 })
    expect(world.violation).toBeNull()
    checks.leaderCommitted({ nodeId: 3 as NodeId, epoch: 3, highWatermark: 2, logEndOffset: 3 })
    expect(world.violation?.name).toBe('R10 MonotonicHW')
  })

  test('nobody commits what it does not have', () => {
    const { world, checks } = voters()
    checks.followerCommitted({ nodeId: 1 as NodeId, highWatermark: 3, logEndOffset: 2 })
    expect(world.violation?.name).toBe('R10 MonotonicHW')
  })

  test('nobody takes back an entry that is committed', () => {
    const { world, append, checks, cut } = voters()
    for (const id of [1, 2]) append(id, [0, 1], [1, 1])
    append(3, [0, 1])
    checks.committed(0, 1)
    cut(1, 1)
    expect(world.violation).toBeNull()
    cut(2, 0)
    expect(world.violation?.name).toBe('R10 MonotonicHW')
  })
})
