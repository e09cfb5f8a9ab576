/** The append scenarios that Kafka 4.3.1 played: same results, same bytes, same producer state. */
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import { recordsOf } from '@kavka/protocol'
import { configOfGolden } from '../../testing/golden-config.ts'
import { readGoldenLines } from '../../testing/golden.ts'
import { LogFixture } from '../../testing/log-fixture.ts'
import type { DiskLog } from '../disk-log.ts'

interface GoldenStep {
  readonly note: string
  readonly as: 'leader' | 'follower'
  readonly leaderEpoch: number
  readonly origin: 'CLIENT' | 'COORDINATOR' | 'REPLICATION'
  readonly transactionVersion?: number
  readonly hex: string
  readonly storedHex?: string
  readonly result: {
    readonly ok?: string
    readonly errorCode?: number
    readonly firstOffset?: number
    readonly lastOffset?: number
    readonly logAppendTime?: number
  }
  readonly logEndOffset: number
  readonly lastStableOffset: number
  readonly lastStableOffsetAtFullHighWatermark: number
}

interface GoldenScenario {
  readonly scenario: string
  readonly now: number
  readonly topicConfig: Record<string, string>
  readonly steps: readonly GoldenStep[]
  readonly producersAtEnd: readonly {
    producerId: number
    producerEpoch: number
    coordinatorEpoch: number
    lastTimestamp: number
    currentTxnFirstOffset: number | null
    batches: readonly { lastSeq: number }[]
  }[]
}

/** Kafka refuses it (UnexpectedAppendOffsetException); ours skips batches below the log end, which a repeated fetch may bring. */
const DEPARTURES = new Set(['follower/offsets go back: 5'])

async function appended(log: DiskLog, from: Offset): Promise<Buffer> {
  const outcome = await log.read({ startOffset: from, endOffsetMax: log.logEndOffset, bytesMax: 10_000_000, minimum: 'none' })
  if (outcome.kind !== 'read') throw new Error(outcome.kind)
  return Buffer.concat(outcome.records)
}

function expectSameRecords(actual: Buffer, expected: Buffer): void {
  const records = (batch: Buffer) => {
    const read = recordsOf(batch, 0)
    if (!read.ok) throw new Error(read.error.message)
    return read.value
  }
  expect(records(actual)).toEqual(records(expected))
  expect(actual.readInt16BE(21)).toBe(expected.readInt16BE(21))
}

describe.each(readGoldenLines<GoldenScenario>('appends.jsonl'))('golden append scenario $scenario', (scenario) => {
  test('gives what Kafka gives', async () => {
    const fixture = new LogFixture({ config: configOfGolden(scenario.topicConfig), wallMsAtStart: scenario.now })
    const log = await fixture.log()
    const isRecompressed = scenario.topicConfig['compression.type'] !== undefined
    for (const step of scenario.steps) {
      const where = `${scenario.scenario}/${step.note}`
      const before = log.logEndOffset
      const bytes = Buffer.from(step.hex, 'hex')
      const epoch = step.leaderEpoch as LeaderEpoch
      if (step.as === 'follower') {
        const outcome = log.appendAsFollower(bytes, epoch)
        expect([where, outcome.kind]).toEqual([where, step.result.ok === undefined && !DEPARTURES.has(where) ? 'refused' : 'appended'])
      } else {
        const origin = step.origin === 'CLIENT' ? 'client' : 'transaction-marker'
        const outcome = log.appendAsLeader(bytes, epoch, origin, step.transactionVersion ?? 0)
        if (outcome.kind === 'refused') expect([where, outcome.errorCode]).toEqual([where, step.result.errorCode])
        else {
          const { firstOffset, lastOffset, logAppendTime } = step.result
          expect([where, outcome.firstOffset, outcome.lastOffset, outcome.logAppendTimeMs]).toEqual([where, firstOffset, lastOffset, logAppendTime])
        }
      }
      expect([where, log.logEndOffset]).toEqual([where, step.logEndOffset])
      expect([where, log.lastStableOffset]).toEqual([where, step.lastStableOffset])
      log.updateHighWatermark(log.logEndOffset)
      expect([where, log.lastStableOffset]).toEqual([where, step.lastStableOffsetAtFullHighWatermark])
      if (step.storedHex !== undefined && log.logEndOffset > before) {
        const stored = await appended(log, before)
        if (isRecompressed) expectSameRecords(stored, Buffer.from(step.storedHex, 'hex'))
        else expect([where, stored.toString('hex')]).toEqual([where, step.storedHex])
      }
    }
    const producers = scenario.producersAtEnd.map((producer) => ({
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch,
      coordinatorEpoch: producer.coordinatorEpoch,
      lastTimestampMs: producer.lastTimestamp,
      currentTransactionStartOffset: producer.currentTxnFirstOffset ?? -1,
      lastSequence: producer.batches.at(-1)?.lastSeq ?? -1,
    }))
    expect(log.activeProducers).toEqual(producers)
  })
})
