/** One run: bring a cluster up, break it as planned under load, heal it, and ask whether everything that was promised still holds. */
import type { Logger } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { Admin } from './clients/admin.ts'
import { Consumer } from './clients/consumer.ts'
import { GROUP_TOPIC, GroupMember } from './clients/group-member.ts'
import { startPassingClient } from './clients/passing-client.ts'
import { Producer } from './clients/producer.ts'
import { startOffsetAsker } from './clients/offset-asker.ts'
import { startOffsetKeeper, startOffsetReader } from './clients/offset-keeper.ts'
import { startTopicAdmin, startTopicWatcher } from './clients/topic-admin.ts'
import { Cluster } from './cluster.ts'
import { FaultInjector } from './faults/fault-injector.ts'
import { planFaults } from './faults/fault-plan.ts'
import type { PlannedFault } from './faults/fault-plan.ts'
import { judgeDirectories, judgeIndexes } from './invariants/storage/files-of-topics.ts'
import { chooseSwarm } from './swarm.ts'
import type { SwarmOptions } from './swarm.ts'
import type { ProbeName } from './world/probes.ts'
import type { PredicateName } from './invariants/predicates.ts'
import { World } from './world/world.ts'
import type { Violation } from './world/world.ts'

export interface RunOptions {
  readonly seed: number
  /** Instead of the seed's own; for shrinking. */
  readonly plan?: readonly PlannedFault[]
  readonly logger?: Logger
  /** The one predicate that counts. */
  readonly only?: string
}

export interface RunResult {
  readonly seed: number
  readonly swarm: SwarmOptions
  readonly plan: readonly PlannedFault[]
  readonly violation: Violation | null
  readonly hash: number
  readonly events: number
  readonly simulatedMs: number
  readonly log: readonly string[]
  readonly probes: ReadonlyMap<ProbeName, number>
  readonly judged: ReadonlyMap<PredicateName, number>
  readonly acknowledged: number
  readonly faults: number
}

const START_MS_MAX = 30_000
const HEAL_MS_MAX = 60_000
/** From here on clients and faults are at work, whenever the cluster came up. */
const FAULTS_FROM_MS = 3_000

export async function simulate(options: RunOptions): Promise<RunResult> {
  const run = new Run(options)
  return await run.toTheEnd()
}

/** What a seed chooses. */
export function swarmOf(seed: number): SwarmOptions {
  return swarmIn(new World({ seed }))
}

function swarmIn(world: World): SwarmOptions {
  const streams = [world.random('swarm'), world.random('more swarm'), world.random('later swarm'), world.random('tempo'), world.random('newest swarm')] as const
  return chooseSwarm(...streams, world.random('latest swarm'), world.random('passing'))
}

class Run {
  readonly #options: RunOptions
  readonly #world: World
  readonly #cluster: Cluster
  readonly #plan: readonly PlannedFault[]
  readonly #admin: Admin
  readonly #injector: FaultInjector
  #producers: Producer[] = []
  #consumers: Consumer[] = []
  #members: GroupMember[] = []
  #doubles: GroupMember[] = []

  constructor(options: RunOptions) {
    this.#options = options
    this.#world = new World({ seed: options.seed, ...(options.only === undefined ? {} : { only: options.only }) })
    const swarm = swarmIn(this.#world)
    this.#plan = options.plan ?? planFaults(swarm, this.#world.random('faults'), FAULTS_FROM_MS)
    this.#cluster = new Cluster({ swarm, ...(options.logger === undefined ? {} : { logger: options.logger }) }, this.#world)
    this.#admin = new Admin('admin', 100, this.#cluster)
    const bothSides = { inside: new Admin('inside', 98, this.#cluster, 'one-node'), outside: new Admin('outside', 99, this.#cluster, 'one-node') }
    this.#injector = new FaultInjector(this.#cluster, this.#admin, bothSides)
  }

  async toTheEnd(): Promise<RunResult> {
    const watched = this.#world.watchRejections()
    try {
      await this.#play()
    } finally {
      await watched()
    }
    return this.#result()
  }

  async #play(): Promise<void> {
    const { swarm } = this.#cluster
    for (const id of this.#cluster.nodeIds) this.#cluster.start(id)
    this.#createClients(swarm)
    this.#createTopics()
    await this.#phase('L1 ClusterComesUp', () => this.#isUp() && this.#world.nowMs >= FAULTS_FROM_MS, START_MS_MAX)
    this.#injector.schedule(this.#plan)
    const lastMs = Math.max(FAULTS_FROM_MS, ...this.#plan.map(({ atMs, durationMs }) => atMs + Math.min(durationMs, 1_000)))
    await this.#world.run(() => false, lastMs)
    await this.#healMajority()
    await this.#healAll()
    if (this.#world.violation === null) this.#judgeAtQuiescence()
  }

  #judgeAtQuiescence(): void {
    this.#cluster.replication.atQuiescence()
    this.#cluster.history.atQuiescence()
    this.#cluster.reassignments.atQuiescence(this.#cluster.image, this.#cluster.nodes())
    judgeIndexes(this.#cluster)
    judgeDirectories(this.#cluster)
  }

  #createClients(swarm: SwarmOptions): void {
    let address = 101
    this.#producers = Array.from({ length: swarm.producerCount }, (_, index) => new Producer(`producer-${index}`, address++, this.#cluster))
    this.#consumers = Array.from({ length: swarm.consumerCount }, (_, index) => new Consumer(`consumer-${index}`, address++, this.#cluster))
    this.#members = Array.from({ length: swarm.memberCount }, (_, index) => {
      const name = `member-${index}`
      const instanceId = swarm.staticDoubles && index === 0 ? [name] : []
      return new GroupMember(name, address++, 'group', this.#cluster, ...instanceId)
    })
    startOffsetAsker('offset-asker', address++, this.#cluster)
    startOffsetKeeper('offset-keeper', address++, this.#cluster)
    startOffsetReader('offset-reader', address++, this.#cluster)
    for (let index = 0; index < swarm.adminCount; index++) startTopicAdmin(`topic-admin-${index}`, address++, this.#cluster)
    if (swarm.adminCount > 0) startTopicWatcher('topic-watcher', address++, this.#cluster)
    if (swarm.staticDoubles) this.#doubles = this.#doubleOf(this.#members[0], address++)
    for (let index = 0; index < (swarm.passing?.clientCount ?? 0); index++) startPassingClient(`passing-${index}`, address++, this.#cluster)
    this.#cluster.clientAddresses = Array.from({ length: address - 100 }, (_, index) => 100 + index)
  }

  /** A second process with the name of a static member, as when a supervisor starts one anew that only seemed dead. */
  #doubleOf(member: GroupMember | undefined, address: number): GroupMember[] {
    return member === undefined ? [] : [new GroupMember('double', address, 'group', this.#cluster, member.client.name)]
  }

  #createTopics(): void {
    const create = async (name: string, partitions: number, configs: Readonly<Record<string, string>>): Promise<void> => {
      while (!this.#cluster.isHealing && !(await this.#admin.createTopic(name, partitions, configs))) await this.#admin.client.process.sleep(200)
    }
    void (async () => {
      await create(GROUP_TOPIC, 2, {})
      await create('t1', 1, {})
      await create('__consumer_offsets', 2, { 'cleanup.policy': 'compact' })
    })()
  }

  #isUp(): boolean {
    const { topics } = this.#cluster.image
    return topics.byName.has(GROUP_TOPIC) && topics.byName.has('__consumer_offsets')
  }

  /** Only a majority of voters comes back at first: it must do without the others. */
  async #healMajority(): Promise<void> {
    const { voterIds } = this.#cluster
    const random = this.#world.random('heal')
    const spare = Math.floor((voterIds.length - 1) / 2)
    const staysDown = random.unit() < 0.4 && !this.#injector.mustBeQuiet
    const down: NodeId[] = spare > 0 && staysDown ? shuffled(voterIds, () => random.unit()).slice(0, 1 + random.below(spare)) : []
    this.#world.note(`healing, still down: ${down.join()}`)
    this.#injector.heal(down)
    if (down.length === 0) return
    this.#world.probes.hit('minority of voters down after healing')
    const before = this.#cluster.image.offset
    void this.#keepCommitting()
    await this.#phase('L1 MajorityElectsAndCommits', () => this.#cluster.activeController !== null && this.#cluster.image.offset > before, this.#world.nowMs + HEAL_MS_MAX)
  }

  /** Something to commit, or a healthy majority with nothing to do would look idle. */
  async #keepCommitting(): Promise<void> {
    for (let size = 500_000; size < 500_010; size++) {
      await this.#admin.alterConfig(GROUP_TOPIC, 'max.message.bytes', String(size))
      await this.#admin.client.process.sleep(500)
    }
  }

  async #healAll(): Promise<void> {
    this.#injector.heal([])
    for (const producer of this.#producers) producer.isStopping = true
    for (const member of this.#members) member.mayLeave = false
    for (const double of this.#doubles) double.isRetired = true
    await this.#phase('L1 ClusterHeals', () => this.#unhealed() === null, this.#world.nowMs + HEAL_MS_MAX)
  }

  /** What is not as it should be yet; null when all is. */
  #unhealed(): string | null {
    const { image, nodeIds } = this.#cluster
    for (const id of nodeIds) {
      const node = this.#cluster.node(id)
      if (node?.isServing !== true) return `node ${id} does not serve`
      const { offset } = node.loader.publishedImage
      if (offset !== image.offset) return `node ${id} is at ${offset} of ${image.offset}`
    }
    for (const topic of image.topics.byId.values()) {
      for (const { partition, isr, replicas, leader, addingReplicas, removingReplicas } of topic.partitions) {
        if (addingReplicas.length + removingReplicas.length > 0) return `${topic.name}-${partition} is being reassigned`
        if (isr.length < replicas.length) return `${topic.name}-${partition}: in sync ${isr.join()} of ${replicas.join()}`
        if (leader === null) return `${topic.name}-${partition} has no leader`
        const lagging = this.#lagging({ topic: topic.name, partition }, leader, replicas)
        if (lagging !== null) return lagging
      }
    }
    for (const producer of this.#producers) if (!producer.isIdle) return producer.describe()
    for (const consumer of this.#consumers) if (!consumer.client.process.isAlive) return `${consumer.client.name} has ended`
    return this.#unsettledGroup()
  }

  #lagging(topicPartition: { topic: string; partition: number }, leader: NodeId, replicas: readonly NodeId[]): string | null {
    const name = `${topicPartition.topic}-${topicPartition.partition}`
    const end = this.#cluster.node(leader)?.replicas?.partition(topicPartition)?.log.logEndOffset
    for (const id of replicas) {
      const view = this.#cluster.node(id)?.replicas?.partition(topicPartition)
      if (view === undefined || view === null || view.highWatermark !== end || view.log.logEndOffset !== end) {
        return `${name} at node ${id}: ${view?.highWatermark} committed, ${view?.log.logEndOffset} of ${end}`
      }
    }
    return null
  }

  #unsettledGroup(): string | null {
    const generations = new Set(this.#members.map(({ generation }) => generation))
    for (const member of this.#members) if (!member.isSettled) return `${member.client.name} is ${member.phase}`
    if (generations.size > 1) return `generations ${[...generations].join()}`
    const owned = this.#members.flatMap((member) => member.owned)
    return this.#members.length === 0 || new Set(owned).size === 4 ? null : `owned: ${owned.join()}`
  }

  async #phase(name: PredicateName, isDone: () => boolean, untilMs: number): Promise<void> {
    const done = await this.#world.run(isDone, untilMs)
    if (this.#world.violation !== null) return
    this.#world.judge(name, done, { problem: this.#isUp() ? this.#unhealed() : 'no topics', controller: this.#cluster.activeController?.id ?? null })
  }

  #result(): RunResult {
    const world = this.#world
    let acknowledged = 0
    for (const truth of this.#cluster.replication.truth.all()) acknowledged += truth.acked.length
    return {
      seed: this.#options.seed, swarm: this.#cluster.swarm, plan: this.#plan, violation: world.violation, hash: world.hash.value, events: world.events,
      simulatedMs: world.nowMs, log: world.log, probes: world.probes.counts, judged: world.judged, acknowledged,
      faults: this.#injector.injected,
    }
  }
}

function shuffled<T>(values: readonly T[], unit: () => number): T[] {
  return values.map((value) => ({ value, order: unit() })).toSorted((a, b) => a.order - b.order).map(({ value }) => value)
}
