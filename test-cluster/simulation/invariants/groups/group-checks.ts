/** The promises of consumer groups, §2.4 (G), from what members and committers were answered. */
import type { World } from '../../world/world.ts'

interface Commit {
  readonly value: number
  readonly invokedMs: number
  /** Null: never answered, or with an error that leaves it open; it may take effect at any time. */
  answeredMs: number | null
  isRefused: boolean
}

/** A process that had its place in a group under an instance id (KIP-345). */
interface StaticLife {
  readonly memberId: string
  readonly joinInvokedMs: number
  readonly joinAnsweredMs: number
  /** When it had its assignment: from then on its place is stored. */
  readonly syncedMs: number
}

interface GroupHistory {
  /** By instance id. */
  readonly staticLives: Map<string, StaticLife[]>
  /** Generations that a member was told are stable, and when that was first known. */
  stableGeneration: number
  readonly owners: Map<string, string>
  readonly commits: Map<string, Commit[]>
  /** When somebody last asked as a member, or stored an offset: retention cannot have begun before. */
  aliveMs: number
  /** Nobody was seen for as long as offsets are kept: those acknowledged before may be gone. */
  expiredBeforeMs: number
}

export interface GroupChecksOptions {
  /** Null: longer than any run. */
  readonly offsetsRetentionMs: number | null
}

export class GroupChecks {
  readonly #world: World
  readonly #offsetsRetentionMs: number
  readonly #groups = new Map<string, GroupHistory>()
  #commits = 0
  /** Of brokers, against the true time: retention goes by it. */
  #wallClocksAreTrue = true

  constructor({ offsetsRetentionMs }: GroupChecksOptions, world: World) {
    this.#world = world
    this.#offsetsRetentionMs = offsetsRetentionMs ?? Infinity
  }

  /** From here on no offset is known to be too young to expire. */
  clockJumped(): void {
    this.#wallClocksAreTrue = false
  }

  /** A member asked for something at that time, and was not refused. */
  memberSeen(group: string, askedMs: number): void {
    const history = this.#of(group)
    if (this.#world.nowMs - history.aliveMs >= this.#offsetsRetentionMs) history.expiredBeforeMs = this.#world.nowMs
    history.aliveMs = Math.max(history.aliveMs, askedMs)
  }

  /** The value that a commit stores names the commit. */
  nextCommitValue(): number {
    return ++this.#commits
  }

  stableGeneration(group: string): number {
    return this.#of(group).stableGeneration
  }

  /**
   * G2: who asks to join after a generation was stable never becomes a member of an older one. A coordinator that was replaced while it
   * stood still may end a round of joins before it knows: nothing of a round is in the log before its leader has synced.
   */
  joined(group: string, generation: number, stableWhenAsked: number): void {
    if (generation < stableWhenAsked && this.#mayBeErased) return this.#startOver(group, generation)
    this.#world.judge('G2 GenerationMonotone', generation >= stableWhenAsked, { group, generation, stableWhenAsked })
  }

  /** G1: one owner a partition in each generation. */
  assigned(group: string, generation: number, memberId: string, partitions: readonly string[]): void {
    const history = this.#of(group)
    if (generation > history.stableGeneration) this.#world.probes.hit('group rebalanced')
    history.stableGeneration = Math.max(history.stableGeneration, generation)
    for (const partition of partitions) {
      const key = `${generation}/${partition}`
      const owner = this.#mayBeErased ? undefined : history.owners.get(key)
      this.#world.judge('G1 OneOwner', owner === undefined || owner === memberId, { group, generation, partition, memberId, owner: owner ?? null })
      history.owners.set(key, memberId)
    }
  }

  /** G5: once a newer generation is stable, a commit of an older one has no effect. */
  commitInvoked(group: string, partition: string, value: number): Commit {
    const commit: Commit = { value, invokedMs: this.#world.nowMs, answeredMs: null, isRefused: false }
    const commits = this.#of(group).commits
    commits.set(partition, [...(commits.get(partition) ?? []), commit])
    return commit
  }

  commitAnswered(group: string, commit: Commit, outcome: 'ok' | 'refused', generation: number, stableWhenAsked: number): void {
    if (outcome === 'refused') commit.isRefused = true
    else {
      this.memberSeen(group, commit.invokedMs)
      commit.answeredMs ??= this.#world.nowMs
      this.#world.judge('G5 StaleGenerationRefused', generation >= stableWhenAsked, { group, generation, stableWhenAsked })
    }
  }

  /** A process joined under an instance id as somebody new, and has its assignment. */
  staticMemberSynced(group: string, instanceId: string, life: Omit<StaticLife, 'syncedMs'>): void {
    const { staticLives } = this.#of(group)
    const lives = staticLives.get(instanceId) ?? []
    if (lives.some(({ memberId }) => memberId === life.memberId)) return
    staticLives.set(instanceId, [...lives, { ...life, syncedMs: this.#world.nowMs }])
    if (lives.length > 0) this.#world.probes.hit('static member replaced')
  }

  /** G5: who was replaced under its instance id, by somebody who asked for that after it had joined, has no effect any more. */
  staticMemberCommitted(group: string, instanceId: string, committer: { readonly memberId: string; readonly invokedMs: number }): void {
    const lives = this.#of(group).staticLives.get(instanceId) ?? []
    const own = lives.find(({ memberId }) => memberId === committer.memberId)
    if (own === undefined) return
    const successor = lives.find(({ joinInvokedMs, syncedMs }) => joinInvokedMs > own.joinAnsweredMs && syncedMs < committer.invokedMs)
    this.#world.judge('G5 ReplacedMemberRefused', successor === undefined, { group, instanceId, ...committer, successor: successor?.memberId ?? null })
  }

  /** G3: a register for each (group, partition). */
  fetched(group: string, partition: string, value: number, invokedMs: number): void {
    const commits = this.#of(group).commits.get(partition) ?? []
    const newestBefore = commits.filter((one) => one.answeredMs !== null && one.answeredMs < invokedMs)
    if (value === -1) return this.#nothingFetched(group, partition, newestBefore)
    const read = commits.find((one) => one.value === value)
    const isOverwritten = read !== undefined && read.answeredMs !== null && newestBefore.some((later) => later.invokedMs > read.answeredMs!)
    const details = { group, partition, value, acknowledged: newestBefore.at(-1)?.value ?? null }
    this.#world.judge('G3 CommittedOffset', read !== undefined && !read.isRefused && !isOverwritten, details)
    // It has taken effect, whatever its committer was told: from now on nobody may read what was before it.
    if (read !== undefined) read.answeredMs ??= this.#world.nowMs
    if (this.#offsetsRetentionMs !== Infinity) this.#world.judge('G4 OffsetsOutliveRetention', true, details)
    this.#world.probes.hit('commit read back')
  }

  /** An empty group whose offsets have all expired is forgotten, and one of its name counts from the start. */
  get #mayBeErased(): boolean {
    return this.#offsetsRetentionMs !== Infinity
  }

  #startOver(group: string, generation: number): void {
    this.#world.probes.hit('group erased')
    this.#of(group).stableGeneration = generation
  }

  /** G3 and G4: an offset that is gone was never stored, or is older than is kept. */
  #nothingFetched(group: string, partition: string, acknowledged: readonly Commit[]): void {
    const { aliveMs, expiredBeforeMs } = this.#of(group)
    const isOldEnough = this.#world.nowMs - aliveMs >= this.#offsetsRetentionMs
    const mayBeGone = isOldEnough || acknowledged.every(({ answeredMs }) => answeredMs! < expiredBeforeMs)
    const details = { group, partition, acknowledged: acknowledged.at(-1)?.value ?? null, aliveMs, expiredBeforeMs }
    if (this.#offsetsRetentionMs === Infinity) this.#world.judge('G3 CommittedOffset', mayBeGone, details)
    else if (this.#wallClocksAreTrue) this.#world.judge('G4 OffsetsOutliveRetention', mayBeGone, details)
    if (acknowledged.length > 0) this.#world.probes.hit('offset expired')
  }

  #of(group: string): GroupHistory {
    let history = this.#groups.get(group)
    if (history === undefined) {
      history = { staticLives: new Map(), stableGeneration: -1, owners: new Map(), commits: new Map(), aliveMs: 0, expiredBeforeMs: 0 }
      this.#groups.set(group, history)
    }
    return history
  }
}

export type { Commit }
