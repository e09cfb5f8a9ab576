/** Random members, time, appends and failovers against one core under one seed; `SEED=… ` runs one alone. */
import { seededRandom } from '@kavka/kernel'
import type { Random } from '@kavka/kernel'
import { ErrorCode, ZERO_UUID } from '@kavka/protocol'
import type { OffsetCommitAnswer } from './group-coordinator-api.ts'
import { CoreHarness } from './testing/core-harness.ts'
import { checkConverged, checkGenerationsMonotone, OffsetRegisterInvariant, OneOwnerInvariant } from './testing/group-invariants.ts'
import { GROUP, PARTITIONS, SimulatedConsumer } from './testing/simulated-consumer.ts'

const STEPS = 400
const SEEDS = 80
const CONSUMERS_MAX = 8
const HEARTBEAT_MS = 1_500
const CALM_MS = 120_000

class Simulation {
  readonly #random: Random
  readonly harness: CoreHarness
  #consumers: SimulatedConsumer[] = []
  readonly #owners = new OneOwnerInvariant()
  readonly #registers = Array.from({ length: PARTITIONS }, (_, partition) => new OffsetRegisterInvariant(`t-${partition}`))
  #openCommits: { readonly correlation: number; readonly partition: number; readonly offset: number; readonly isStale: boolean }[] = []
  #started = 0
  #nextOffset = 1

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.harness = new CoreHarness({
      groupInitialRebalanceDelayMs: this.#random.below(2) === 0 ? 0 : 3_000,
      offsetsRetentionCheckIntervalMs: 1e9,
      groupMaxSize: this.#random.below(4) === 0 ? 3 : 1_000,
    })
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) {
      this.#act()
      this.#settle()
    }
    this.#calmDown()
  }

  #act(): void {
    const actions: [weight: number, action: () => void][] = [
      [6, () => this.#startConsumer()],
      [3, () => this.#pick((consumer) => (consumer.phase = { kind: 'crashed' }))],
      [2, () => this.#pick((consumer) => consumer.leave())],
      [3, () => this.#pick((consumer) => consumer.instanceId !== null && consumer.restart())],
      [3, () => this.#pick((consumer) => consumer.phase.kind === 'member' && consumer.join())],
      [20, () => this.#pick((consumer) => this.#commit(consumer, consumer.generationId))],
      [4, () => this.#pick((consumer) => this.#commit(consumer, consumer.generationId - 1))],
      [20, () => this.#fetch()],
      [40, () => this.#letTimePass(this.#random.below(HEARTBEAT_MS))],
      [6, () => (this.harness.appends = 'hold')],
      [12, () => this.#commitHeld()],
      [3, () => this.harness.pending.length > 0 && this.harness.fail(ErrorCode.NOT_ENOUGH_REPLICAS)],
      [2, () => this.harness.pending.length > 0 && this.harness.timeOut()],
      [2, () => this.#failover()],
    ]
    let pick = this.#random.below(actions.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, action] of actions) {
      pick -= weight
      if (pick < 0) return action()
    }
  }

  #commitHeld(): void {
    if (this.#random.below(2) === 0) this.harness.appends = 'commit'
    this.harness.commit(this.harness.appends === 'commit' ? undefined : this.#random.below(this.harness.pending.length + 1))
  }

  #startConsumer(): void {
    if (this.#alive().length >= CONSUMERS_MAX) return
    const name = `c${this.#started++}`
    const instances = ['i0', 'i1', 'i2'].filter((id) => !this.#alive().some(({ instanceId }) => instanceId === id))
    const instanceId = instances.length > 0 && this.#random.below(3) === 0 ? instances[this.#random.below(instances.length)]! : null
    const consumer = new SimulatedConsumer(name, instanceId, this.harness, ({ generationId, memberId, assignment }) => {
      this.#owners.assigned(generationId, instanceId ?? memberId, assignment)
    })
    this.#consumers.push(consumer)
    consumer.join()
  }

  #pick(action: (consumer: SimulatedConsumer) => unknown): void {
    const alive = this.#alive()
    if (alive.length > 0) action(alive[this.#random.below(alive.length)]!)
  }

  #alive(): SimulatedConsumer[] {
    return this.#consumers.filter(({ isAlive }) => isAlive)
  }

  #commit(consumer: SimulatedConsumer, generationId: number): void {
    if (consumer.phase.kind !== 'member' || generationId < 0) return
    const partition = this.#random.below(PARTITIONS)
    const offset = this.#nextOffset++
    this.#registers[partition]!.issued(offset)
    const committed = { partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: null }
    const { memberId, instanceId } = consumer
    const correlation = this.harness.call<OffsetCommitAnswer>((core, id, now) =>
      core.commitOffsets(
        id,
        9,
        {
          groupId: GROUP, generationIdOrMemberEpoch: generationId, memberId, groupInstanceId: instanceId, retentionTimeMs: -1,
          topics: [{ name: 't', topicId: ZERO_UUID, partitions: [committed] }],
        },
        now,
      ),
    )
    this.#openCommits.push({ correlation, partition, offset, isStale: generationId !== consumer.generationId })
  }

  #fetch(): void {
    const partitionIndexes = this.#registers.map((_, partition) => partition)
    const topics = [{ name: 't', topicId: ZERO_UUID, partitionIndexes }]
    const answer = this.harness.core.fetchOffsets({ groupId: GROUP, topics, stability: 'stable-only' })
    for (const { partitionIndex, committedOffset } of answer.topics[0]!.partitions) this.#registers[partitionIndex]!.read(committedOffset)
  }

  #letTimePass(durationMs: number): void {
    this.harness.advance(durationMs)
    for (const consumer of this.#alive()) consumer.heartbeat()
  }

  #failover(): void {
    this.harness.failover(this.#random.below(2) === 0 ? 'kept' : 'lost')
    this.#openCommits = []
    for (const consumer of this.#alive()) consumer.coordinatorMoved()
  }

  /** Consumers read their answers and go on until nobody has anything to say. */
  #settle(): void {
    for (let round = 0; round < 20; round++) for (const consumer of this.#alive()) consumer.poll()
    this.#openCommits = this.#openCommits.filter(({ correlation, partition, offset, isStale }) => {
      const answer = this.harness.answers.get(correlation) as OffsetCommitAnswer | undefined
      if (answer === undefined) return true
      const { errorCode } = answer.topics[0]!.partitions[0]!
      if (isStale && errorCode === ErrorCode.NONE) throw new Error('G5: a commit of a stale generation was accepted')
      // COORDINATOR_NOT_AVAILABLE after a time-out says nothing of what the log holds.
      if (errorCode === ErrorCode.NONE) this.#registers[partition]!.answered(offset, 'acknowledged')
      else if (errorCode !== ErrorCode.COORDINATOR_NOT_AVAILABLE) this.#registers[partition]!.answered(offset, 'refused')
      return false
    })
    checkGenerationsMonotone(this.harness.log)
  }

  #calmDown(): void {
    this.harness.appends = 'commit'
    this.harness.commit()
    for (let passedMs = 0; passedMs < CALM_MS; passedMs += HEARTBEAT_MS) {
      this.#settle()
      this.#letTimePass(HEARTBEAT_MS)
    }
    this.#settle()
    this.#fetch()
    const living = this.#alive().map((consumer) => ({
      name: consumer.name,
      generationId: consumer.generationId,
      assignment: consumer.assignment,
      isMember: consumer.phase.kind === 'member',
    }))
    const turnedAway = Math.max(0, living.length - this.harness.options.groupMaxSize)
    if (turnedAway === 0) checkConverged(living, PARTITIONS)
    else checkConverged(living.filter(({ isMember }) => isMember).slice(0, this.harness.options.groupMaxSize), PARTITIONS)
  }
}

const chosen = process.env['SEED']
const seeds = chosen === undefined ? Array.from({ length: SEEDS }, (_, index) => index + 1) : [Number(chosen)]

test.each(seeds)('groups hold their promises, SEED=%i', (seed) => {
  new Simulation(seed).run()
})
