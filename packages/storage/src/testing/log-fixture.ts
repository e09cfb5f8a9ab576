/** A LogManager on a disk in memory under a clock of its own; for the tests of this package. */
import { seededRandom, silentLogger } from '@kavka/kernel'
import type { Random, Scheduler } from '@kavka/kernel'
import type { NodeId, TopicPartition, Uuid } from '@kavka/protocol'
import { MemoryFileSystem, VirtualScheduler } from '@kavka/testkit'
import type { LogConfig } from '../log-config.ts'
import { LogManager } from '../manager/log-manager.ts'
import { logManagerDefaults } from '../manager/log-manager-options.ts'
import type { LogManagerOptions } from '../manager/log-manager-options.ts'
import type { DiskLog } from '../log/disk-log.ts'

export const PARTITION: TopicPartition = { topic: 'golden', partition: 0 }
export const TOPIC_ID = 'ASNFZ4mrze_-3LqYdlQyEA' as Uuid
export const LOG_DIR = '/data'

export const defaultLogConfig: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 604_800_000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 4_096,
  flushMessages: 1,
  flushMs: Number.MAX_SAFE_INTEGER,
  retentionBytes: -1,
  retentionMs: 604_800_000,
  deleteRetentionMs: 86_400_000,
  fileDeleteDelayMs: 60_000,
  cleanupPolicy: ['delete'],
  maxMessageBytes: 1_048_588,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  messageTimestampAfterMaxMs: 3_600_000,
  compressionType: 'producer',
  compressionGzipLevel: -1,
  compressionLz4Level: 9,
  compressionZstdLevel: 3,
  minInsyncReplicas: 1,
  uncleanLeaderElectionEnable: false,
}

export interface LogFixtureOptions {
  readonly config?: Partial<LogConfig>
  readonly manager?: Partial<LogManagerOptions>
  readonly wallMsAtStart?: number
  readonly seed?: number
}

export class LogFixture {
  readonly fs: MemoryFileSystem
  readonly scheduler: VirtualScheduler
  readonly random: Random
  readonly #options: LogFixtureOptions
  #processId = 1
  #manager: LogManager | null = null

  constructor(options: LogFixtureOptions = {}) {
    this.#options = options
    this.scheduler = new VirtualScheduler({ wallMsAtStart: options.wallMsAtStart ?? 1_700_000_500_000 })
    this.fs = new MemoryFileSystem({ syncDelayMs: 1 }, { scheduler: this.scheduler })
    this.random = seededRandom(options.seed ?? 1)
  }

  get config(): LogConfig {
    return { ...defaultLogConfig, ...this.#options.config }
  }

  get manager(): LogManager {
    if (this.#manager === null) throw new Error('not open')
    return this.#manager
  }

  get managerOptions(): LogManagerOptions {
    return {
      ...logManagerDefaults,
      logDirs: [LOG_DIR],
      clusterId: 'test-cluster',
      nodeId: 1 as NodeId,
      configOf: () => this.config,
      ...this.#options.manager,
    }
  }

  tryOpen(): ReturnType<typeof LogManager.open> {
    const { fs, random } = this
    const id = this.#processId
    const scheduler = this.#livingScheduler(id)
    const processes = { id, host: 'test', incarnation: (other: number) => (other === id ? 'now' : null) }
    return LogManager.open(this.managerOptions, { fs, scheduler, random, logger: silentLogger, processes })
  }

  /** The scheduler of one process: what a dead one had planned does not happen. */
  #livingScheduler(processId: number): Scheduler {
    const { scheduler } = this
    const whileAlive = (callback: () => void) => () => {
      if (processId === this.#processId) callback()
    }
    return {
      wallMs: () => scheduler.wallMs(),
      monotonicMs: () => scheduler.monotonicMs(),
      after: (delayMs, callback) => scheduler.after(delayMs, whileAlive(callback)),
      soon: (callback) => scheduler.soon(whileAlive(callback)),
    }
  }

  async open(): Promise<LogManager> {
    const opened = await this.tryOpen()
    if (!opened.ok) throw new Error(opened.error.message)
    this.#manager = opened.value
    return opened.value
  }

  /** The log of the fixture's partition, made when missing. */
  async log(): Promise<DiskLog> {
    if (this.#manager === null) await this.open()
    const created = this.manager.getOrCreate(PARTITION, TOPIC_ID, this.config)
    if (!created.ok) throw new Error(created.error.message)
    return created.value as DiskLog
  }

  /** Lets the current turn's writes and syncs finish. */
  async settle(): Promise<void> {
    await this.scheduler.advance(20)
  }

  /** Closing needs the clock to run: syncs take time. */
  async close(brokerEpoch = 7): Promise<void> {
    let isClosed = false
    const closing = this.manager.close(brokerEpoch).then(() => {
      isClosed = true
    })
    await this.scheduler.runUntil(() => isClosed)
    await closing
    this.#manager = null
  }

  /** As kill -9: what is in the page cache stays; the next open is another process. */
  kill(): void {
    this.#processId++
    this.#manager = null
  }

  /** The process is gone and the power with it; the next open is another process. */
  crash(random?: Random): void {
    if (random === undefined) this.fs.crash()
    else this.fs.crash(random)
    this.#processId++
    this.#manager = null
  }
}
