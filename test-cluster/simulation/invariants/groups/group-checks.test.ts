import { World } from '../../world/world.ts'
import { GroupChecks } from './group-checks.ts'

/** Histories by hand: good ones that must pass, bad ones that must be flagged. */
function history(offsetsRetentionMs: number | null = null): { readonly world: World; readonly checks: GroupChecks; at(ms: number): void } {
  const world = new World({ seed: 1 })
  return { world, checks: new GroupChecks({ offsetsRetentionMs }, world), at: (ms) => world.scheduler.advanceSync(ms - world.nowMs) }
}

describe('committed offsets are a register', () => {
  test('the last acknowledged commit is read', () => {
    const { world, checks, at } = history()
    at(1)
    const commit = checks.commitInvoked('g', '0', 1)
    at(2)
    checks.commitAnswered('g', commit, 'ok', 1, 1)
    checks.fetched('g', '0', 1, 3)
    expect(world.violation).toBeNull()
  })

  test('nothing after an acknowledged commit is a lost offset', () => {
    const { world, checks, at } = history()
    const commit = checks.commitInvoked('g', '0', 1)
    at(2)
    checks.commitAnswered('g', commit, 'ok', 1, 1)
    checks.fetched('g', '0', -1, 3)
    expect(world.violation?.name).toBe('G3 CommittedOffset')
  })

  test('an overwritten commit may not come back', () => {
    const { world, checks, at } = history()
    const first = checks.commitInvoked('g', '0', 1)
    at(2)
    checks.commitAnswered('g', first, 'ok', 1, 1)
    at(3)
    const second = checks.commitInvoked('g', '0', 2)
    at(4)
    checks.commitAnswered('g', second, 'ok', 1, 1)
    checks.fetched('g', '0', 1, 5)
    expect(world.violation?.name).toBe('G3 CommittedOffset')
  })

  test('a commit that was never answered may take effect at any time', () => {
    const { world, checks, at } = history()
    checks.commitInvoked('g', '0', 1)
    at(3)
    const second = checks.commitInvoked('g', '0', 2)
    at(4)
    checks.commitAnswered('g', second, 'ok', 1, 1)
    checks.fetched('g', '0', 1, 5)
    expect(world.violation).toBeNull()
  })

  test('a refused commit has no effect', () => {
    const { world, checks } = history()
    const commit = checks.commitInvoked('g', '0', 1)
    checks.commitAnswered('g', commit, 'refused', 1, 2)
    checks.fetched('g', '0', 1, 5)
    expect(world.violation?.name).toBe('G3 CommittedOffset')
  })

  test('a value that nobody committed is flagged', () => {
    const { world, checks } = history()
    checks.fetched('g', '0', 7, 5)
    expect(world.violation?.name).toBe('G3 CommittedOffset')
  })
})

test('a partition has one owner in a generation', () => {
  const { world, checks } = history()
  checks.assigned('g', 1, 'a', ['0', '1'])
  checks.assigned('g', 2, 'b', ['0'])
  expect(world.violation).toBeNull()
  checks.assigned('g', 2, 'a', ['0'])
  expect(world.violation?.name).toBe('G1 OneOwner')
})

test('a join never ends in a generation older than one that was stable before it', () => {
  const { world, checks } = history()
  checks.joined('g', 4, 4)
  expect(world.violation).toBeNull()
  checks.joined('g', 3, 4)
  expect(world.violation?.name).toBe('G2 GenerationMonotone')
})

test('what was read of a commit that nobody was told of has taken effect: what was before it may not come back', () => {
  const { world, checks, at } = history()
  const first = checks.commitInvoked('g', '0', 1)
  at(1)
  checks.commitAnswered('g', first, 'ok', 1, 1)
  at(2)
  checks.commitInvoked('g', '0', 2)
  at(3)
  checks.fetched('g', '0', 2, 2.5)
  expect(world.violation).toBeNull()
  at(4)
  checks.fetched('g', '0', 1, 3.5)
  expect(world.violation?.name).toBe('G3 CommittedOffset')
})

describe('a static member and its double', () => {
  function joined(doubleJoinsMs: number): ReturnType<typeof history> {
    const all = history()
    all.at(2)
    all.checks.staticMemberSynced('g', 'i', { memberId: 'first', joinInvokedMs: 0, joinAnsweredMs: 1 })
    all.at(5)
    all.checks.staticMemberSynced('g', 'i', { memberId: 'double', joinInvokedMs: doubleJoinsMs, joinAnsweredMs: 4 })
    all.at(9)
    return all
  }

  test.each([
    ['the first, after the double has its place', 'first', 6, 3, 'G5 ReplacedMemberRefused'],
    ['the first, before that', 'first', 4.5, 3, null],
    ['the double', 'double', 6, 3, null],
    ['the first, when both had asked at once: nobody knows who came last', 'first', 6, 0.5, null],
    ['somebody whom nobody knows', 'third', 6, 3, null],
  ])('a commit of %s', (_name, memberId, invokedMs, doubleJoinsMs, violation) => {
    const { world, checks } = joined(doubleJoinsMs)
    checks.staticMemberCommitted('g', 'i', { memberId, invokedMs })
    expect(world.violation?.name ?? null).toBe(violation)
  })
})

test('a commit of a generation that is over is not acknowledged', () => {
  const { world, checks } = history()
  checks.commitAnswered('g', checks.commitInvoked('g', '0', 1), 'ok', 3, 4)
  expect(world.violation?.name).toBe('G5 StaleGenerationRefused')
})

describe('offsets outlive their retention', () => {
  function committed(): ReturnType<typeof history> {
    const all = history(1_000)
    const commit = all.checks.commitInvoked('g', '0', 1)
    all.at(10)
    all.checks.commitAnswered('g', commit, 'ok', 1, 1)
    return all
  }

  test.each([
    ['when their time is over', 1_020, null, null],
    ['too early', 900, null, 'G4 OffsetsOutliveRetention'],
    ['while the group had members', 1_500, { at: 900, seen: 890 }, 'G4 OffsetsOutliveRetention'],
    ['before the group came back', 1_600, { at: 1_500, seen: 1_490 }, null],
  ] as const)('gone %s', (_name, foundGoneMs, member, violation) => {
    const { world, checks, at } = committed()
    if (member !== null) {
      at(member.at)
      checks.memberSeen('g', member.seen)
    }
    at(foundGoneMs)
    checks.fetched('g', '0', -1, foundGoneMs - 10)
    expect(world.violation?.name ?? null).toBe(violation)
  })

  test('a group that expired with its offsets may count from the start', () => {
    const { world, checks } = committed()
    checks.joined('g', 1, 4)
    expect(world.violation).toBeNull()
    expect(checks.stableGeneration('g')).toBe(1)
  })

  test('nothing is held against brokers whose clocks were set', () => {
    const { world, checks, at } = committed()
    checks.clockJumped()
    at(900)
    checks.fetched('g', '0', -1, 890)
    expect(world.violation).toBeNull()
  })
})
