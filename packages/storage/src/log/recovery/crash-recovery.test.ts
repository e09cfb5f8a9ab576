/**
 * Kills the power at arbitrary moments, keeping any subset of what was not synced, and looks at what the next start makes of it:
 * every durable record is there, the log is a prefix of what was appended, and all that stands beside it equals a rebuild (S2–S4).
 */
import { seededRandom } from '@kavka/kernel'
import type { Random } from '@kavka/kernel'
import { buildBatch, buildEndTransactionMarker, verifyBatchCrc } from '@kavka/protocol'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { ProducerStateView } from '../../partition-log.ts'
import { LOG_DIR, LogFixture } from '../../testing/log-fixture.ts'
import { BatchView } from '../batches/batch-view.ts'
import type { DiskLog } from '../disk-log.ts'
import { LeaderEpochs } from '../epochs/leader-epochs.ts'
import { ProducerState } from '../producers/producer-state.ts'
import { producerBatchOf, transactionMarkerOf } from '../producers/transaction-markers.ts'

/** Other seeds: `CRASH_SEEDS=150-1200`, the last one not included. */
const [firstSeed = 0, endSeed = 150] = (process.env['CRASH_SEEDS'] ?? '').split('-').filter(Boolean).map(Number)
const seeds = Array.from({ length: endSeed - firstSeed }, (_, index) => firstSeed + index)
const STEPS = 60
const DIRECTORY = `${LOG_DIR}/golden-0`

/** What the log must hold: appended batches in order, cut by truncations. */
interface Model {
  batches: Buffer[]
  durableEndOffset: number
  logStartOffset: number
}

interface Producer {
  readonly id: number
  epoch: number
  sequence: number
  inTransaction: boolean
}

class Story {
  readonly fixture: LogFixture
  readonly random: Random
  readonly model: Model = { batches: [], durableEndOffset: 0, logStartOffset: 0 }
  readonly producers: Producer[] = [1, 2, 3].map((id) => ({ id, epoch: 0, sequence: 0, inTransaction: false }))
  epoch = 0
  readonly movesStart: boolean
  log!: DiskLog

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.movesStart = seed % 3 === 0
    const flushMessages = seed % 5 === 0 ? Number.MAX_SAFE_INTEGER : 1
    this.fixture = new LogFixture({
      seed,
      config: { segmentBytes: 1_500, indexIntervalBytes: 200, flushMessages, fileDeleteDelayMs: 5 },
      manager: { recoveryPointCheckpointIntervalMs: 25, highWatermarkCheckpointIntervalMs: 10, tailCacheBytesMax: seed % 2 === 0 ? 2_000 : 1_000_000 },
    })
  }

  async step(): Promise<void> {
    const dice = this.random.below(20)
    if (dice < 9) this.appendData()
    else if (dice < 11) this.endTransaction()
    else if (dice === 11) this.startEpoch()
    else if (dice === 12) this.truncate()
    else if (dice === 13) this.advanceStart()
    else await this.fixture.scheduler.advance(this.random.below(12))
    this.noteDurable()
  }

  appendData(): void {
    const producer = this.random.below(3) === 0 ? null : this.producers[this.random.below(3)]!
    const count = 1 + this.random.below(3)
    const records = Array.from({ length: count }, (_, i) => ({
      timestamp: 1_700_000_400_000 + this.random.below(1_000) + i, key: null, value: Buffer.alloc(this.random.below(150), 7),
    }))
    const transactional = producer !== null && (producer.inTransaction || this.random.below(2) === 0)
    const batch = producer === null ? buildBatch(records) : buildBatch(records, {
      producerId: producer.id, producerEpoch: producer.epoch, baseSequence: producer.sequence, transactional,
    })
    const outcome = this.log.appendAsLeader(batch, this.epoch as LeaderEpoch, 'client')
    expect(outcome.kind).toBe('appended')
    this.model.batches.push(Buffer.from(batch))
    if (producer === null) return
    producer.sequence += count
    producer.inTransaction = transactional
  }

  endTransaction(): void {
    const producer = this.producers[this.random.below(3)]!
    const outcome = this.random.below(2) === 0 ? 'abort' : 'commit'
    const marker = buildEndTransactionMarker({
      outcome, producerId: producer.id, producerEpoch: producer.epoch, coordinatorEpoch: 1, timestamp: 1_700_000_400_000,
    })
    expect(this.log.appendAsLeader(marker, this.epoch as LeaderEpoch, 'transaction-marker').kind).toBe('appended')
    this.model.batches.push(Buffer.from(marker))
    producer.inTransaction = false
  }

  startEpoch(): void {
    this.epoch++
    this.log.assignEpochStart(this.epoch as LeaderEpoch)
  }

  truncate(): void {
    const end = this.model.logStartOffset + this.random.below(this.log.logEndOffset - this.model.logStartOffset + 1)
    this.log.truncateTo(end as Offset)
    const isWiped = this.log.sizeBytes === 0
    this.model.batches = this.model.batches.filter((batch) => !isWiped && new BatchView(batch, 0).lastOffset < end)
    this.model.durableEndOffset = Math.min(this.model.durableEndOffset, this.log.logEndOffset)
    this.adoptProducers()
  }

  advanceStart(): void {
    if (!this.movesStart) return
    const start = this.model.logStartOffset + this.random.below(this.log.logEndOffset - this.model.logStartOffset + 1)
    this.log.updateHighWatermark(this.log.logEndOffset)
    if (this.log.advanceLogStartOffset(start as Offset)) this.model.logStartOffset = start
    this.fixture.manager.applyRetention()
  }

  noteDurable(): void {
    expect(this.log.durableEndOffset).toBeLessThanOrEqual(this.log.logEndOffset)
    if (this.fixture.config.flushMessages === 1) this.model.durableEndOffset = Math.max(this.model.durableEndOffset, this.log.durableEndOffset)
  }

  /** After a truncation or a crash the producers go on from what the log knows. */
  adoptProducers(): void {
    for (const producer of this.producers) {
      const view = this.log.activeProducers.find((candidate) => candidate.producerId === producer.id)
      producer.epoch = (view?.producerEpoch ?? producer.epoch) + 1
      producer.sequence = 0
      producer.inTransaction = (view?.currentTransactionStartOffset ?? -1) >= 0
    }
  }

  async check(): Promise<void> {
    const { log, model } = this
    expect(log.corruption).toBeNull()
    expect(log.logEndOffset).toBeGreaterThanOrEqual(model.durableEndOffset)
    const expected = model.batches.filter((batch) => new BatchView(batch, 0).lastOffset < log.logEndOffset)
    const isEmpty = expected.length === 0 || log.logEndOffset === log.logStartOffset
    if (!isEmpty) expect(new BatchView(expected.at(-1)!, 0).lastOffset + 1).toBe(log.logEndOffset)
    // A crash may bring back some of the segments that were being deleted; nobody was promised what they hold.
    const start = Math.max(model.logStartOffset, log.logStartOffset)
    const fromStart = (batches: readonly Buffer[]) => batches.filter((batch) => new BatchView(batch, 0).lastOffset >= start)
    const readable = fromStart(expected)
    expect(fromStart(await this.readAll()).map((batch) => batch.toString('hex'))).toEqual(readable.map((batch) => batch.toString('hex')))
    model.batches = expected
    this.checkBeside(expected)
    await this.checkTimestamps(readable)
  }

  async readAll(): Promise<Buffer[]> {
    const batches: Buffer[] = []
    for (let at = this.log.logStartOffset; at < this.log.logEndOffset;) {
      const outcome = await this.log.read({ startOffset: at, endOffsetMax: this.log.logEndOffset, bytesMax: 700, minimum: 'at-least-one-batch' })
      if (outcome.kind !== 'read') throw new Error(outcome.kind)
      expect(outcome.nextOffset).toBeGreaterThan(at)
      for (const records of outcome.records) {
        for (let position = 0; position < records.length;) {
          const view = new BatchView(records, position)
          expect(verifyBatchCrc(records, position)).toBe(true)
          batches.push(Buffer.from(view.bytes))
          position += view.sizeBytes
        }
      }
      at = outcome.nextOffset
    }
    return batches
  }

  /** Epochs, producers and aborted transactions, computed again from nothing but the batches. */
  checkBeside(batches: readonly Buffer[]): void {
    const epochs = new LeaderEpochs()
    const producers = new ProducerState('model')
    const aborted: { producerId: number; firstOffset: number }[] = []
    for (const bytes of batches) {
      const batch = new BatchView(bytes, 0)
      epochs.assign(batch.leaderEpoch as LeaderEpoch, batch.baseOffset as Offset)
      if (batch.producerId < 0) continue
      const completed = producers.apply(producerBatchOf(batch), transactionMarkerOf(batch))
      if (completed?.outcome === 'abort' && completed.lastOffset >= this.log.logStartOffset) aborted.push({ producerId: completed.producerId, firstOffset: completed.firstOffset })
    }
    this.checkProducersOfWhatIsLeft(batches)
    // What is known only from segments that are gone is lost with them, unless a snapshot has it.
    if (this.movesStart) return
    const key = (views: readonly ProducerStateView[]) => [...views].sort((a, b) => a.producerId - b.producerId)
    expect(key(this.log.activeProducers)).toEqual(key(producers.views()))
    expect(this.log.abortedTransactions(this.log.logStartOffset, this.log.logEndOffset)).toEqual(aborted)
    for (let epoch = 0; epoch <= this.epoch; epoch++) {
      const startsBelow = epochs.epochOf(this.log.logStartOffset) ?? 0
      if (epoch < startsBelow || epoch > (epochs.latest ?? -1) || this.log.logStartOffset === this.log.logEndOffset) continue
      expect([epoch, this.log.endOffsetForEpoch(epoch as LeaderEpoch)]).toEqual([epoch, epochs.endOffsetFor(epoch as LeaderEpoch, this.log.logEndOffset)])
    }
  }

  /** Whoever wrote a batch that is in the files is known, with the last of them, also below the log start. */
  checkProducersOfWhatIsLeft(batches: readonly Buffer[]): void {
    const last = new Map<number, { readonly epoch: number; readonly sequence: number }>()
    for (const bytes of batches) {
      const batch = new BatchView(bytes, 0)
      if (batch.producerId < 0 || batch.baseOffset < this.log.firstSegmentOffset) continue
      const { producerEpoch: epoch, firstSequence, lastOffset, firstOffset } = producerBatchOf(batch)
      const isMarker = transactionMarkerOf(batch) !== null
      const before = last.get(batch.producerId)
      if (!isMarker) last.set(batch.producerId, { epoch, sequence: firstSequence + lastOffset - firstOffset })
      else if (before !== undefined && before.epoch !== epoch) last.set(batch.producerId, { epoch, sequence: -1 })
    }
    for (const [producerId, { epoch, sequence }] of last) {
      expect(this.log.activeProducers.find((view) => view.producerId === producerId)).toMatchObject({ producerEpoch: epoch, lastSequence: sequence })
    }
  }

  async checkTimestamps(batches: readonly Buffer[]): Promise<void> {
    const max = Math.max(-1, ...batches.map((batch) => new BatchView(batch, 0).maxTimestampMs))
    if (max < 0 || this.movesStart) return
    expect(await this.log.offsetForTimestamp(max)).toMatchObject({ timestampMs: max })
    expect(await this.log.offsetForTimestamp(max + 1)).toBeNull()
  }

  /** Closes cleanly and compares the indexes with those that are made when there are none (S4). */
  async checkIndexes(): Promise<void> {
    const { fixture } = this
    await fixture.settle()
    await fixture.close()
    const names = fixture.fs.list(DIRECTORY).filter((name) => /(\.index|\.timeindex|\.txnindex)$/.test(name))
    const before = names.map((name) => [name, fixture.fs.readFile(`${DIRECTORY}/${name}`).toString('hex')])
    for (const name of names) fixture.fs.removeFile(`${DIRECTORY}/${name}`)
    for (const name of ['.kafka_cleanshutdown', 'recovery-point-offset-checkpoint']) fixture.fs.removeFile(`${LOG_DIR}/${name}`)
    for (const name of fixture.fs.list(DIRECTORY)) if (name.endsWith('.snapshot')) fixture.fs.removeFile(`${DIRECTORY}/${name}`)
    this.log = await this.reopen()
    await fixture.settle()
    await fixture.close()
    const isTxn = (name: string) => name.endsWith('.txnindex')
    for (const [name, content] of before) {
      // What began below the log start cannot be rebuilt, and an empty log begins again at it.
      if (this.movesStart && (isTxn(name!) || !fixture.fs.exists(`${DIRECTORY}/${name}`))) continue
      expect([name, fixture.fs.readFile(`${DIRECTORY}/${name}`).toString('hex')]).toEqual([name, content])
    }
  }

  /** As a broker does: a log whose topic id was lost gets it again. */
  async reopen(): Promise<DiskLog> {
    await this.fixture.open()
    return this.fixture.log()
  }
}

describe('a crash at any moment', () => {
  test.each(seeds)('seed %i: keeps what was durable, and a sound log', async (seed) => {
    const story = new Story(seed)
    story.log = await story.fixture.log()
    for (let life = 0; life < 3; life++) {
      const steps = story.random.below(STEPS)
      for (let step = 0; step < steps; step++) await story.step()
      if (story.random.below(4) === 0) await story.fixture.close()
      else story.fixture.crash(story.random.below(2) === 0 ? story.random : undefined)
      story.log = await story.reopen()
      await story.check()
      story.model.logStartOffset = story.log.logStartOffset
      story.model.durableEndOffset = 0
      story.adoptProducers()
    }
    await story.checkIndexes()
  })
})
