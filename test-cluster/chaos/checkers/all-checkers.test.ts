import type { History } from '../history/operation.ts'
import { historyCheckers } from './all-checkers.ts'
import {
  assigned, commit, committed, finalPoll, latest, lostAnswer, lostCommit, memberCommit, metadata, poll, quorum, refused, send,
} from './history-notation.ts'

interface Examples {
  /** Every one of them must be flagged. */
  readonly bad: Readonly<Record<string, History>>
  /** None of them may be. */
  readonly good: Readonly<Record<string, History>>
}

const context = { faults: [{ fromMs: 100, toMs: 200 }, { fromMs: 2000, toMs: 3000 }], lagMsMax: 50, inSyncMin: 2 }
const plain = { idempotent: false, process: 'x' } as const

const examples: Readonly<Record<string, Examples>> = {
  'inconsistent-offsets': {
    bad: {
      'two readers see two values': [poll([0, 1], [[0, 1]]), poll([2, 3], [[0, 2]], { process: 's' })],
      'an acknowledgment and a reader disagree': [send([0, 1], [1], 5), poll([2, 3], [[5, 9]])],
      'two acknowledgments for one offset': [send([0, 1], [1], 5), send([2, 3], [2], 5, plain)],
      'even a poll that failed may not see it': [poll([0, 1], [[0, 1]]), poll([2, 3], [[0, 2]], { outcome: 'fail', error: 'x' })],
    },
    good: {
      'the same value twice': [poll([0, 1], [[0, 1]]), poll([2, 3], [[0, 1]])],
      'other partitions do not matter': [poll([0, 1], [[0, 1]]), poll([2, 3], [[0, 2]], { key: 'q' })],
      'an offset that is only claimed by a lost answer': [lostAnswer(0, [1], { baseOffset: 0 }), poll([2, 3], [[0, 2]])],
    },
  },
  duplicate: {
    bad: {
      'stored twice': [send([0, 1], [1], 0), poll([2, 3], [[0, 1], [1, 1]])],
      'acknowledged elsewhere': [send([0, 1], [1], 0), poll([2, 3], [[3, 1]])],
      'a plain producer that sent once': [lostAnswer(0, [1], plain), poll([2, 3], [[0, 1], [5, 1]])],
    },
    good: {
      'read twice': [send([0, 1], [1], 0), poll([2, 3], [[0, 1]]), poll([4, 5], [[0, 1]])],
      'a plain producer that sent again': [send([0, 1], [1], 0, { ...plain, attempts: 2 }), poll([2, 3], [[0, 1], [1, 1]])],
      'the same number in two partitions': [poll([0, 1], [[0, 1]]), poll([0, 1], [[4, 1]], { key: 'q' })],
    },
  },
  'lost-write': {
    bad: {
      'readers went past it': [send([0, 1], [1], 0), send([2, 3], [2], 1), poll([4, 5], [[1, 2]])],
      'one of a batch': [send([0, 1], [1, 2, 3], 0), poll([4, 5], [[0, 1], [2, 3]])],
      'a sibling of a value that was seen': [lostAnswer(0, [1, 2]), send([1, 2], [2], 1, plain), poll([4, 5], [[2, 3], [1, 2]]), send([5, 6], [7], 0, plain)],
    },
    good: {
      'not read yet': [send([0, 1], [1], 0), send([2, 3], [2], 1), poll([4, 5], [[0, 1]])],
      'a lost answer was never stored': [lostAnswer(0, [1]), send([2, 3], [2], 0), poll([4, 5], [[0, 2]])],
      'a gap that nobody claims': [send([0, 1], [1], 0), send([2, 3], [2], 9), poll([4, 5], [[0, 1], [9, 2]])],
    },
  },
  unseen: {
    bad: {
      'missing in the end': [send([0, 1], [1], 0), send([2, 3], [2], 1), finalPoll([[0, 1]])],
      'seen once, gone in the end': [send([0, 1], [1], 0), poll([2, 3], [[0, 1]]), finalPoll([])],
      'acknowledged without an offset': [send([0, 1], [1], null), finalPoll([[0, 2]])],
    },
    good: {
      'everything is there': [send([0, 1], [1, 2], 0), finalPoll([[0, 1]]), finalPoll([[1, 2]])],
      'lost answers may be missing': [lostAnswer(0, [1]), finalPoll([])],
      'refusals must be': [refused([0, 1], [1]), finalPoll([])],
    },
  },
  'refused-write': {
    bad: {
      'refused and there': [refused([0, 1], [1]), poll([2, 3], [[0, 1]])],
      'one of a refused batch': [refused([0, 1], [1, 2]), poll([2, 3], [[0, 2]])],
      'from nowhere': [poll([2, 3], [[0, 7]])],
    },
    good: {
      'refused and not there': [refused([0, 1], [1]), send([2, 3], [2], 0), poll([4, 5], [[0, 2]])],
      'a lost answer may be there': [lostAnswer(0, [1]), poll([2, 3], [[0, 1]])],
      'acknowledged': [send([0, 1], [1], 0), poll([2, 3], [[0, 1]])],
    },
  },
  'poll-skip': {
    bad: {
      'between two polls': [poll([0, 1], [[0, 1]]), poll([2, 3], [[2, 3]]), poll([4, 5], [[1, 2]], { process: 's' })],
      'inside a poll': [send([0, 1], [1, 2, 3], 0), poll([2, 3], [[0, 1], [2, 3]])],
      'over what only an acknowledgment tells': [send([0, 1], [2], 1), poll([2, 3], [[0, 1]]), poll([4, 5], [[2, 3]])],
    },
    good: {
      'in order': [poll([0, 1], [[0, 1], [1, 2]]), poll([2, 3], [[2, 3]])],
      'a gap that holds nothing': [poll([0, 1], [[0, 1]]), poll([2, 3], [[7, 2]])],
      'after a seek': [poll([0, 1], [[0, 1], [1, 2], [2, 3]], { process: 's' }), poll([0, 1], [[0, 1]]), poll([2, 3], [[2, 3]], { position: 'seek' })],
    },
  },
  'nonmonotonic-poll': {
    bad: {
      'back': [poll([0, 1], [[0, 1], [1, 2]]), poll([2, 3], [[0, 1]])],
      'the same again': [poll([0, 1], [[0, 1]]), poll([2, 3], [[0, 1]])],
      'inside a poll': [poll([0, 1], [[1, 2], [0, 1]])],
    },
    good: {
      'forward': [poll([0, 1], [[0, 1]]), poll([2, 3], [[1, 2]])],
      'back by a seek': [poll([0, 1], [[0, 1]]), poll([2, 3], [[0, 1]], { position: 'seek' })],
      'two readers': [poll([0, 1], [[0, 1]]), poll([2, 3], [[0, 1]], { process: 's' })],
    },
  },
  'nonmonotonic-send': {
    bad: {
      'a later batch before': [send([0, 1], [1], 5), send([2, 3], [2], 4)],
      'a lost answer was stored late': [lostAnswer(0, [1]), send([2, 3], [2], 0), poll([4, 5], [[0, 2], [1, 1]])],
      'inside a batch': [send([0, 1], [1, 2], null), poll([4, 5], [[0, 2], [1, 1]])],
    },
    good: {
      'in order': [send([0, 1], [1], 0), send([2, 3], [2], 1)],
      'a plain producer has no order': [lostAnswer(0, [1], plain), send([2, 3], [2], 0, plain), poll([4, 5], [[0, 2], [1, 1]])],
      'two producers': [send([0, 1], [1], 5), send([0, 3], [2], 4, { process: 'v' })],
      'in flight together': [send([0, 9], [1], 0), send([1, 8], [2], 1)],
    },
  },
  'K-LIN': {
    bad: {
      'acknowledged before the other was sent': [send([0, 1], [1], 5), send([2, 3], [2], 4, { process: 'v' })],
      'far apart': [send([0, 1], [1], 9), send([2, 3], [2], 10), send([4, 5], [3], 3, plain)],
      'the highest counts, not the last': [send([0, 1], [1], 9), send([0, 2], [2], 1, plain), send([3, 4], [3], 5, plain)],
    },
    good: {
      'at the same time': [send([0, 5], [1], 5), send([1, 3], [2], 4, plain)],
      'in order': [send([0, 1], [1], 4), send([2, 3], [2], 5, plain)],
      'lost answers stand anywhere': [send([0, 1], [1], 5), lostAnswer(2, [2]), poll([4, 5], [[2, 2]])],
    },
  },
  'realtime-lag': {
    bad: {
      'long ago': [send([0, 1], [1], 0), poll([60, 61], [], { highWatermark: 0 })],
      'long after healing': [send([150, 160], [1], 3), poll([260, 261], [], { highWatermark: 3 })],
      'a later batch is missing too': [send([0, 9], [1], 0), send([1, 2], [2], 1), poll([55, 56], [], { highWatermark: 0 })],
    },
    good: {
      'a moment ago': [send([0, 30], [1], 0), poll([60, 61], [], { highWatermark: 0 })],
      'during a fault': [send([0, 1], [1], 0), poll([150, 151], [], { highWatermark: 0 })],
      'soon after healing': [send([0, 1], [1], 0), poll([240, 241], [], { highWatermark: 0 })],
      'it knows the end and fetched less': [send([0, 1], [1], 0), poll([90, 91], [], { highWatermark: 1 })],
    },
  },
  'K-HW': {
    bad: {
      'latest goes back': [latest([0, 1], 5), latest([2, 3], 4)],
      'a fetch tells less than latest did': [latest([0, 1], 5), poll([2, 3], [], { highWatermark: 4 })],
      'latest goes back during a fault': [latest([90, 91], 5), latest([150, 151], 4, { leaderEpoch: 1 })],
      'a fetch of the same epoch tells less': [poll([0, 1], [[0, 1]], { highWatermark: 7 }), poll([2, 3], [], { highWatermark: 6 })],
      'a new leader knows less': [poll([0, 1], [[0, 1]], { highWatermark: 7 }), latest([2, 3], 6, { leaderEpoch: 1, process: 'm' })],
    },
    good: {
      'forward': [latest([0, 1], 5), latest([2, 3], 5), poll([4, 5], [], { highWatermark: 6 })],
      'asked at the same time': [latest([0, 5], 5), latest([1, 4], 4)],
      'a fetch from a new leader that has not heard of its followers yet': [poll([0, 1], [[0, 1]], { highWatermark: 7 }), poll([2, 3], [], { highWatermark: 6, leaderEpoch: 1 })],
      'a fetch during a fault, from a leader that starts again': [latest([90, 91], 5), poll([150, 151], [], { highWatermark: 4 })],
      'a leader that was replaced and does not know it': [latest([0, 1], 5, { leaderEpoch: 2 }), latest([2, 3], 4, { leaderEpoch: 1 })],
    },
  },
  'K-OFFSET': {
    bad: {
      'gone': [commit([0, 1], 7), committed([2, 3], -1)],
      'rewound': [commit([0, 1], 7), commit([2, 3], 8), committed([4, 5], 7)],
      'from nowhere': [commit([0, 1], 7), committed([2, 3], 9)],
      'refused and there': [commit([0, 1], 7, { outcome: 'fail', error: 'ILLEGAL_GENERATION' }), committed([2, 3], 7)],
      'a coordinator that was replaced while it was cut off': [commit([0, 1], 7), commit([2500, 2501], 8), committed([2600, 2601], 7)],
      'rewound to before a node was cut off': [commit([0, 1], 7), commit([1000, 1001], 8), committed([2500, 2501], 7)],
      'still rewound after healing': [commit([0, 1], 7), commit([2500, 2501], 8), committed([3100, 3101], 7)],
      'rewound in a fault that cuts nobody off': [commit([0, 1], 7), commit([120, 121], 8), committed([150, 151], 7)],
      'once seen, then the older one again': [commit([0, 1], 7), lostCommit(2, 8), committed([3, 4], 8), committed([5, 6], 7)],
    },
    good: {
      'the last one': [commit([0, 1], 7), commit([2, 3], 8), committed([4, 5], 8)],
      'at the same time either': [commit([0, 1], 7), commit([2, 6], 8), committed([3, 4], 7), committed([5, 7], 8)],
      'a lost answer, before and after': [commit([0, 1], 7), lostCommit(2, 8), committed([3, 4], 7), committed([5, 6], 8)],
      'nothing yet': [committed([0, 1], -1), commit([2, 3], 7)],
      'asked before the newer one was in force': [commit([0, 1], 7), committed([2400, 2601], 7), commit([2500, 2501], 8)],
    },
  },
  'K-DIRTY-LEADER': {
    bad: {
      'out of sync and alone': [metadata(0, 1, 1, 4, [1, 2]), metadata(10, 2, 3, 5, [3])],
      'shrunk before, to enough': [metadata(0, 1, 1, 4, [1, 2, 3]), metadata(1, 1, 1, 5, [1, 3]), metadata(2, 1, 2, 6, [2])],
      'after a time without leader': [metadata(0, 1, 1, 4, [1, 3]), metadata(1, 2, -1, 5, [3]), metadata(2, 2, 2, 6, [2])],
    },
    good: {
      'one of the set': [metadata(0, 1, 1, 4, [1, 2]), metadata(10, 2, 2, 5, [2])],
      'let in and elected between two looks': [metadata(0, 1, 1, 4, [1, 2]), metadata(10, 2, 3, 5, [1, 2, 3])],
      'still eligible, since the set shrank below the minimum': [metadata(0, 1, 1, 4, [1, 2]), metadata(1, 1, 1, 4, [1]), metadata(2, 1, -1, 5, []), metadata(3, 1, 2, 6, [2])],
      'the old leader again': [metadata(0, 1, 1, 4, [1]), metadata(1, 2, -1, 5, [1]), metadata(2, 2, 1, 6, [1])],
      'epochs that nobody saw, then nobody in sync': [metadata(0, 1, 3, 4, [1, 3]), metadata(1, 1, -1, 6, []), metadata(2, 1, 2, 7, [2])],
      'epochs that nobody saw': [metadata(0, 1, 1, 4, [1, 2]), metadata(10, 2, 3, 9, [3])],
    },
  },
  'K-EPOCH': {
    bad: {
      'two leaders': [metadata(0, 1, 1, 4, [1, 2]), metadata(1, 2, 2, 4, [1, 2])],
      'two leaders at different times': [metadata(0, 1, 1, 4, [1, 2]), metadata(1, 1, 2, 5, [1, 2]), metadata(9, 3, 3, 4, [3])],
      'two controllers': [quorum(0, 1, 7), quorum(2, 3, 7)],
      'a broker goes back': [metadata(0, 1, 1, 4, [1, 2]), metadata(1, 1, 1, 3, [1, 2])],
    },
    good: {
      'one after the other': [metadata(0, 1, 1, 4, [1, 2]), metadata(1, 1, 2, 5, [1, 2])],
      'a controller after another': [quorum(0, 1, 7), quorum(2, 3, 8), quorum(4, 1, 9)],
      'a broker that lags': [metadata(0, 1, 2, 5, [1, 2]), metadata(1, 2, 1, 4, [1, 2])],
      'no leader for a while in the epoch': [metadata(0, 1, -1, 4, [1]), metadata(1, 2, 1, 4, [1])],
    },
  },
  'K-ASSIGN': {
    bad: {
      'two owners': [assigned([0, 1], 'a', 1, ['x']), assigned([0, 1], 'b', 1, ['x'])],
      'a zombie commits': [assigned([0, 1], 'a', 1, ['x']), assigned([2, 3], 'b', 2, ['x']), memberCommit([4, 5], 'a', 1, 'x')],
      'the generation goes back': [assigned([0, 1], 'a', 5, ['x']), assigned([2, 3], 'b', 4, ['x'])],
    },
    good: {
      'shared': [assigned([0, 1], 'a', 1, ['x']), assigned([0, 1], 'b', 1, ['y']), memberCommit([2, 3], 'a', 1, 'x'), memberCommit([2, 3], 'b', 1, 'y')],
      'a zombie is refused': [
        assigned([0, 1], 'a', 1, ['x']), assigned([2, 3], 'b', 2, ['x']), memberCommit([4, 5], 'a', 1, 'x', { outcome: 'fail', error: 'ILLEGAL_GENERATION' }),
      ],
      'sent before the new owner knew': [assigned([0, 1], 'a', 1, ['x']), memberCommit([2, 9], 'a', 1, 'x'), assigned([3, 4], 'b', 2, ['x'])],
    },
  },
}

test('every checker has examples', () => {
  expect(Object.keys(examples).sort()).toEqual(historyCheckers.map(({ name }) => name).sort())
  for (const { bad, good } of Object.values(examples)) expect([Object.keys(bad).length >= 3, Object.keys(good).length >= 3]).toEqual([true, true])
})

describe.each(historyCheckers.map((checker) => [checker.name, checker] as const))('%s', (name, checker) => {
  test.each(Object.entries(examples[name]!.bad))('flags: %s', (_, history) => {
    expect(checker.check(history, context).length).toBeGreaterThan(0)
  })

  test.each(Object.entries(examples[name]!.good))('passes: %s', (_, history) => {
    expect(checker.check(history, context)).toEqual([])
  })
})
