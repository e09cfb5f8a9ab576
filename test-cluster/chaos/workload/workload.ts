import { ClusterClient } from '../../client/cluster-client.ts'
import { HistoryRecorder } from '../history/recorder.ts'
import { ClusterView } from './cluster-view.ts'
import type { ClientProcess, WorkloadContext } from './client-process.ts'
import { EndWatcher } from './end-watcher.ts'
import { GroupMember } from './group-member.ts'
import { IdempotentProducer } from './idempotent-producer.ts'
import { OffsetCommitter, OffsetReader } from './offset-register.ts'
import { QuorumWatcher } from './quorum-watcher.ts'
import { PlainProducer } from './plain-producer.ts'
import { Reader } from './reader.ts'

export interface WorkloadOptions {
  readonly bootstrap: string
  readonly topic: string
  readonly partitions: number
  readonly replicationFactor: number
  /** Average pause of each producer between two rounds. */
  readonly everyMs: number
  readonly topicConfigs: Readonly<Record<string, string>>
}

const REGISTER_GROUPS = 3
const MEMBERS = 3
const FINAL_READ_MS_MAX = 120_000

/** All clients of a run: they write, read, look at ends and metadata, commit offsets and share a group. */
export class Workload {
  readonly view: ClusterView
  readonly history: HistoryRecorder
  readonly errors: Map<string, number>
  readonly #context: WorkloadContext
  readonly #options: WorkloadOptions
  readonly #processes: readonly ClientProcess[]
  #running: Promise<void> = Promise.resolve()
  #failure: unknown = null

  private constructor(options: WorkloadOptions, context: WorkloadContext, processes: readonly ClientProcess[]) {
    this.#options = options
    this.#context = context
    this.#processes = processes
    this.view = context.view
    this.history = context.history
    this.errors = context.errors
  }

  static async start(options: WorkloadOptions, deps: { readonly nowMs: () => number; readonly random: () => number }): Promise<Workload> {
    const history = new HistoryRecorder(deps.nowMs)
    const view = new ClusterView(options, history)
    const context: WorkloadContext = { view, history, ...deps, errors: new Map() }
    const client = new ClusterClient(options.bootstrap)
    try {
      await client.createTopic(options.topic, { partitions: options.partitions, replicationFactor: options.replicationFactor, configs: options.topicConfigs })
      const workload = new Workload(options, context, await processesOf(options, context, client))
      view.start()
      workload.#running = Promise.all(workload.#processes.map((one) => one.run())).then(() => {}, (error: unknown) => {
        workload.#failure = error
      })
      return workload
    } finally {
      client.close()
    }
  }

  /** Throws what ended a client that should have gone on. */
  assertAlive(): void {
    if (this.#failure !== null) throw this.#failure
  }

  /** True when every partition has a leader and all its replicas in sync. */
  isInSync(): boolean {
    const partitions = this.view.partitions()
    if (partitions.length !== this.#options.partitions) return false
    return partitions.every(({ leader, isr }) => leader >= 0 && isr.length === this.#options.replicationFactor)
  }

  /** True when it is in sync and every partition took a write that was sent after `sinceMs`. */
  isWhole(sinceMs: number): boolean {
    return this.isInSync() && this.view.partitions().every(({ key }) => this.history.lastWriteMs(key) >= sinceMs)
  }

  async stop(): Promise<void> {
    for (const one of this.#processes) one.stop()
    await this.#running
    this.assertAlive()
  }

  /** Fresh clients read everything; the names of partitions that could not be read to their end in time. */
  async readEverything(ends: readonly number[]): Promise<string[]> {
    const deadlineMs = this.#context.nowMs() + FINAL_READ_MS_MAX
    const unread = await Promise.all(ends.map(async (end, partition) => {
      const reader = new Reader({ name: `final ${partition}`, partition, moves: 'tail', final: true }, this.#context)
      return (await reader.readTo(end, deadlineMs)) ? [] : [`${this.#options.topic}-${partition} stops at ${reader.position} of ${end}`]
    }))
    for (const register of registersOf(this.#options)) {
      const reader = new OffsetReader(register, this.#context)
      for (let tries = 0; tries < 50 && !(await reader.read()); tries++);
    }
    await this.view.stop()
    return unread.flat()
  }
}

async function processesOf(options: WorkloadOptions, context: WorkloadContext, client: ClusterClient): Promise<ClientProcess[]> {
  const { partitions, everyMs } = options
  const processes: ClientProcess[] = []
  for (let partition = 0; partition < partitions; partition++) {
    processes.push(
      new IdempotentProducer({ writer: partition * 2, partition, everyMs }, await client.producerId(), context),
      new PlainProducer({ writer: partition * 2 + 1, partition, everyMs }, context),
      new Reader({ name: `tail ${partition}`, partition, moves: 'tail' }, context),
      new Reader({ name: `anywhere ${partition}`, partition, moves: 'anywhere' }, context),
    )
  }
  for (const register of registersOf(options)) processes.push(new OffsetCommitter(register, context), new OffsetReader(register, context))
  for (let member = 0; member < MEMBERS; member++) processes.push(new GroupMember({ group: 'members', name: `member ${member}`, partitions }, context))
  processes.push(new QuorumWatcher(context))
  processes.push(new EndWatcher({ name: 'ends 1', partitions }, context), new EndWatcher({ name: 'ends 2', partitions }, context))
  return processes
}

function registersOf({ partitions }: WorkloadOptions): { group: string; partition: number }[] {
  return Array.from({ length: REGISTER_GROUPS }, (_, group) => ({ group: `register-${group}`, partition: group % partitions }))
}
