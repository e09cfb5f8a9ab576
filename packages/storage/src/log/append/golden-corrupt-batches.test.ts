/** What Kafka's log says to 148 bad (and a few good) buffers; where ours says something else, the reason stands here. */
import type { LeaderEpoch } from '@kavka/protocol'
import { configOfGolden } from '../../testing/golden-config.ts'
import { readGoldenLines } from '../../testing/golden.ts'
import { LogFixture } from '../../testing/log-fixture.ts'

interface Verdict {
  readonly ok?: string
  readonly errorCode?: number
  readonly firstOffset?: number
  readonly logEndOffset?: number
  readonly storedHex?: string
  readonly recordErrors?: readonly { readonly batchIndex: number }[]
}

interface GoldenCase {
  readonly case: string
  readonly hex: string
  readonly topicConfig?: Record<string, string>
  readonly appendAsLeader: Verdict
  readonly appendAsFollower: Verdict
}

const INVALID_RECORD = 87
const CORRUPT_MESSAGE = 2

/** Error code of ours; all are refused either way by Kafka's Produce request or by Kafka's log. */
const LEADER_DEPARTURES: Record<string, { readonly errorCode: number; readonly because: string }> = {
  ...same(['length-plus-1', 'truncated-header', 'truncated-16', 'truncated-17', 'truncated-tail', 'empty'], INVALID_RECORD,
    'no whole batch: Kafka appends nothing and calls it a success; its Produce request refuses it before'),
  ...same(['magic-0-none', 'magic-0-gzip', 'magic-1-none', 'magic-1-gzip'], INVALID_RECORD,
    'the log of Kafka converts old formats, but no request can bring them any more'),
  ...same(['magic-2-as-1', 'magic-2-as-0'], INVALID_RECORD, 'old formats are refused before their checksum is looked at'),
  ...same(['length-14'], CORRUPT_MESSAGE, 'Kafka runs into an IndexOutOfBoundsException; it is a corrupt batch'),
}

const FOLLOWER_DEPARTURES: Record<string, { readonly errorCode: number; readonly because: string }> = {
  ...same(['magic-0-none', 'magic-0-gzip', 'magic-1-none', 'magic-1-gzip', 'magic-2-as-1', 'magic-2-as-0'], INVALID_RECORD,
    'no leader of this cluster sends old formats'),
  ...same(['length-14'], CORRUPT_MESSAGE, 'Kafka runs into an IndexOutOfBoundsException; it is a corrupt batch'),
}

/** A follower of Kafka also refuses codecs that do not exist; ours stores what the leader has and never decompresses it. */
const FOLLOWER_ACCEPTS = new Set(['compression-type-5', 'compression-type-6', 'compression-type-7'])

function same(cases: readonly string[], errorCode: number, because: string): Record<string, { errorCode: number; because: string }> {
  return Object.fromEntries(cases.map((name) => [name, { errorCode, because }]))
}

describe.each(readGoldenLines<GoldenCase>('corrupt-batches.jsonl'))('golden buffer $case', (golden) => {
  const config = configOfGolden(golden.topicConfig ?? {})

  test('appended as a leader', async () => {
    const log = await new LogFixture({ config }).log()
    const outcome = log.appendAsLeader(Buffer.from(golden.hex, 'hex'), 0 as LeaderEpoch, 'client')
    const expected = golden.appendAsLeader
    const departure = LEADER_DEPARTURES[golden.case]
    if (departure !== undefined || expected.ok === undefined) {
      expect(outcome).toMatchObject({ kind: 'refused', errorCode: departure?.errorCode ?? expected.errorCode })
      expect(log.logEndOffset).toBe(0)
      const batchIndexes = expected.recordErrors?.map((error) => error.batchIndex)
      if (batchIndexes !== undefined && outcome.kind === 'refused') expect(outcome.recordErrors.map((error) => error.batchIndex)).toEqual(batchIndexes)
      return
    }
    expect(outcome).toMatchObject({ kind: 'appended', firstOffset: expected.firstOffset })
    expect(log.logEndOffset).toBe(expected.logEndOffset)
    const read = await log.read({ startOffset: log.logStartOffset, endOffsetMax: log.logEndOffset, bytesMax: 1_000_000, minimum: 'none' })
    expect(read.kind === 'read' && Buffer.concat(read.records).toString('hex')).toBe(expected.storedHex)
  })

  test('appended as a follower', async () => {
    const log = await new LogFixture({ config }).log()
    const bytes = Buffer.from(golden.hex, 'hex')
    // As when the golden data was made: the follower sees leader epoch 0 in place of a client's -1.
    if (bytes.length >= 16 && bytes.readInt32BE(12) === -1) bytes.writeInt32BE(0, 12)
    const outcome = log.appendAsFollower(bytes, 0 as LeaderEpoch)
    const expected = golden.appendAsFollower
    const departure = FOLLOWER_DEPARTURES[golden.case]
    if (FOLLOWER_ACCEPTS.has(golden.case)) expect(outcome.kind).toBe('appended')
    else if (departure !== undefined) expect(outcome).toMatchObject({ kind: 'refused', errorCode: departure.errorCode })
    else if (expected.ok === undefined) expect(outcome).toMatchObject({ kind: 'refused', errorCode: expected.errorCode })
    else expect(outcome).toEqual({ kind: 'appended', logEndOffset: expected.logEndOffset })
  })
})
