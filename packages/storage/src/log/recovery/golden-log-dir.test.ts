/** A directory that Kafka's UnifiedLog wrote: opened, it answers what Kafka answered, and is left as Kafka left it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LeaderEpoch, NodeId, Offset, TopicPartition } from '@kavka/protocol'
import { batchesIn, batchBaseOffset } from '@kavka/protocol'
import { copyGolden, goldenPath } from '../../testing/golden.ts'
import { LOG_DIR, LogFixture } from '../../testing/log-fixture.ts'
import type { DiskLog } from '../disk-log.ts'

interface GoldenQueries {
  logStartOffset: number
  logEndOffset: number
  highWatermark: number
  lastStableOffset: number
  latestEpoch: number
  endOffsetForEpoch: { epoch: number; endEpoch?: number; endOffset: number | null }[]
  offsetByTimestamp: { timestamp: number; foundTimestamp?: number; offset: number | null; leaderEpoch?: number }[]
  read: {
    isolation: 'LOG_END' | 'HIGH_WATERMARK' | 'TXN_COMMITTED'
    offset: number
    maxLength: number
    baseOffsetOfSegment: number
    position: number
    bytes: number
    abortedTransactions?: { producerId: number; firstOffset: number }[]
  }[]
}

const queries = (JSON.parse(readFileSync(join(goldenPath, 'log-dir.json'), 'utf8')) as { 'golden-0': { queries: GoldenQueries } })['golden-0'].queries
const GOLDEN: TopicPartition = { topic: 'golden', partition: 0 }
const TRIMMED: TopicPartition = { topic: 'golden-trimmed', partition: 3 }
/** With it Kafka wrote these segments. */
const config = { indexIntervalBytes: 300 }

async function openGolden(prepare: (fixture: LogFixture) => void = () => {}): Promise<LogFixture> {
  const fixture = new LogFixture({ config, manager: { clusterId: 'golden-cluster-id-00000', nodeId: 1 as NodeId } })
  copyGolden(fixture.fs, 'log-dir', LOG_DIR)
  prepare(fixture)
  await fixture.open()
  return fixture
}

function logOf(fixture: LogFixture, topicPartition: TopicPartition): DiskLog {
  return fixture.manager.get(topicPartition) as DiskLog
}

function expectSameFiles(fixture: LogFixture, directory: string): void {
  const source = join(goldenPath, 'log-dir', directory)
  const names = readdirSync(source).toSorted()
  expect(fixture.fs.list(`${LOG_DIR}/${directory}`)).toEqual(names)
  for (const name of names) {
    const actual = fixture.fs.readFile(`${LOG_DIR}/${directory}/${name}`).toString('hex')
    expect([name, actual]).toEqual([name, readFileSync(join(source, name)).toString('hex')])
  }
}

/** All ways into the same log: trusted, recovered, recovered without anything beside the batches. */
const openings: Record<string, (fixture: LogFixture) => void> = {
  'after a clean stop': () => {},
  'after an unclean stop': ({ fs }) => fs.removeFile(`${LOG_DIR}/.kafka_cleanshutdown`),
  'with nothing but the batches': ({ fs }) => {
    for (const name of ['.kafka_cleanshutdown', 'recovery-point-offset-checkpoint']) fs.removeFile(`${LOG_DIR}/${name}`)
    for (const name of fs.list(`${LOG_DIR}/golden-0`)) {
      if (!name.endsWith('.log') && name !== 'partition.metadata') fs.removeFile(`${LOG_DIR}/golden-0/${name}`)
    }
  },
}

describe.each(Object.keys(openings))("Kafka's directory opened %s", (opening) => {
  let fixture: LogFixture
  let log: DiskLog

  beforeAll(async () => {
    fixture = await openGolden(openings[opening]!)
    log = logOf(fixture, GOLDEN)
    log.updateHighWatermark(queries.highWatermark as Offset)
  })

  test('has the same bounds', () => {
    expect(log.corruption).toBeNull()
    expect([log.logStartOffset, log.logEndOffset, log.highWatermark]).toEqual([queries.logStartOffset, queries.logEndOffset, queries.highWatermark])
    expect([log.lastStableOffset, log.latestEpoch]).toEqual([queries.lastStableOffset, queries.latestEpoch])
  })

  test('knows where epochs end', () => {
    for (const query of queries.endOffsetForEpoch) {
      const expected = query.endOffset === null ? null : { epoch: query.endEpoch, endOffset: query.endOffset }
      expect(log.endOffsetForEpoch(query.epoch as LeaderEpoch)).toEqual(expected)
    }
  })

  test('finds offsets by time', async () => {
    for (const query of queries.offsetByTimestamp.filter(({ timestamp }) => timestamp > 0 || timestamp === -3)) {
      const found = query.timestamp === -3 ? await log.offsetOfMaxTimestamp() : await log.offsetForTimestamp(query.timestamp)
      const expected = query.offset === null ? null : { offset: query.offset, timestampMs: query.foundTimestamp, leaderEpoch: query.leaderEpoch }
      expect([query.timestamp, found]).toEqual([query.timestamp, expected])
    }
  })

  test('reads the whole batches of what Kafka reads', async () => {
    const file = (base: number): Buffer => readFileSync(join(goldenPath, 'log-dir/golden-0', `${String(base).padStart(20, '0')}.log`))
    for (const query of queries.read) {
      const endOffsetMax = { LOG_END: log.logEndOffset, HIGH_WATERMARK: log.highWatermark, TXN_COMMITTED: log.lastStableOffset }[query.isolation]
      const outcome = await log.read({ startOffset: query.offset as Offset, endOffsetMax, bytesMax: query.maxLength, minimum: 'at-least-one-batch' })
      if (outcome.kind !== 'read') throw new Error(outcome.kind)
      const kafkas = file(query.baseOffsetOfSegment).subarray(query.position, query.position + query.bytes)
      let wholeBytes = 0
      for (const step of batchesIn(kafkas)) if (step.kind === 'complete') wholeBytes = step.at + step.sizeBytes
      expect([query, Buffer.concat(outcome.records).toString('hex')]).toEqual([query, kafkas.subarray(0, wholeBytes).toString('hex')])
      expect(outcome.sizeBytes).toBe(wholeBytes)
      if (query.abortedTransactions === undefined) continue
      // Kafka's upper bound is rougher (index entries): ours may name fewer, but none that lies in what was read.
      const aborted = log.abortedTransactions(query.offset as Offset, outcome.nextOffset)
      expect(query.abortedTransactions).toEqual(expect.arrayContaining([...aborted]))
      const needed = query.abortedTransactions.filter(({ firstOffset }) => outcome.sizeBytes > 0 && firstOffset < outcome.nextOffset)
      expect(aborted).toEqual(needed)
      if (outcome.sizeBytes > 0) expect(batchBaseOffset(outcome.records[0]!, 0)).toBeLessThanOrEqual(query.offset)
    }
  })

  test('has the producers that Kafka has in its last snapshot', () => {
    const producers = log.activeProducers.map((one) => [one.producerId, one.producerEpoch, one.currentTransactionStartOffset])
    expect(producers).toEqual([
      [4000, 0, -1], [5000, 0, -1], [5001, 2, -1], [5002, 1, 71], [5003, 2, -1], [5004, 0, 68],
    ])
  })

  test('keeps a log start inside a segment', () => {
    const trimmed = logOf(fixture, TRIMMED)
    expect([trimmed.logStartOffset, trimmed.logEndOffset]).toEqual([7, 12])
  })

  test('leaves the files as Kafka wrote them', async () => {
    await fixture.settle()
    await fixture.close(42)
    // Snapshots of older segments cannot come back once they are gone.
    if (opening === 'with nothing but the batches') {
      for (const offset of [36, 63]) fixture.fs.writeFile(`${LOG_DIR}/golden-0/${String(offset).padStart(20, '0')}.snapshot`, readFileSync(join(goldenPath, `log-dir/golden-0/${String(offset).padStart(20, '0')}.snapshot`)))
    }
    expectSameFiles(fixture, 'golden-0')
    expectSameFiles(fixture, 'golden-trimmed-3')
    expect(fixture.fs.readFile(`${LOG_DIR}/.kafka_cleanshutdown`).toString()).toBe('{"version":0,"brokerEpoch":42}')
    expect(fixture.fs.readFile(`${LOG_DIR}/log-start-offset-checkpoint`).toString()).toBe('0\n1\ngolden-trimmed 3 7\n')
  })
})

test("Kafka's batches appended by a follower make Kafka's files", async () => {
  const fixture = new LogFixture({ config })
  const log = await fixture.log()
  const source = join(goldenPath, 'log-dir/golden-0')
  for (const base of [0, 36, 63]) {
    const bytes = readFileSync(join(source, `${String(base).padStart(20, '0')}.log`))
    for (const step of batchesIn(bytes)) {
      // The story rolled by hand: the first batch of a segment finds no room.
      log.reconfigure({ ...fixture.config, segmentBytes: step.at === 0 ? 1 : 1_000_000 })
      if (step.kind === 'complete') log.appendAsFollower(bytes.subarray(step.at, step.at + step.sizeBytes), 7 as LeaderEpoch)
    }
  }
  await fixture.settle()
  await fixture.close()
  expectSameFiles(fixture, 'golden-0')
})

test('the directory of a real broker opens, every log to its recovery point', async () => {
  const fixture = new LogFixture({ manager: { clusterId: 'Z29sZGVuLWNsdXN0ZXIwMA', nodeId: 1 as NodeId } })
  copyGolden(fixture.fs, 'broker-dir', LOG_DIR)
  const manager = await fixture.open()
  expect(manager.previousBrokerEpoch).toBe(14)
  const lines = readFileSync(join(goldenPath, 'broker-dir/recovery-point-offset-checkpoint'), 'utf8').trim().split('\n').slice(2)
  expect([...manager.logs()]).toHaveLength(lines.length)
  for (const line of lines) {
    const [topic = '', partition, end] = line.split(' ')
    const log = manager.get({ topic, partition: Number(partition) })
    expect([line, log?.logEndOffset, log?.corruption]).toEqual([line, Number(end), null])
  }
})
