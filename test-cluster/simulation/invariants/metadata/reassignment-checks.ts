/** P18: partitions that move to other replicas (KIP-455) lose nothing on the way, arrive where they were sent last, and leave nothing behind. */
import type { MetadataImage, PartitionRegistration } from '@kavka/controller'
import { ErrorCode } from '@kavka/protocol'
import type { NodeId, Uuid } from '@kavka/protocol'
import type { SimulatedNode } from '../../node/simulated-node.ts'
import type { World } from '../../world/world.ts'

/** An administrator's request for one partition; null: cancel. */
export interface PendingReassignment {
  readonly target: readonly NodeId[] | null
  readonly invokedMs: number
  answeredMs: number
  isRefused: boolean
}

/** Of one partition in an answer to ListPartitionReassignments. */
export interface ListedReassignment {
  readonly topic: string
  readonly partition: number
  readonly replicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
}

/** Replicas that a partition had, from then on. */
interface Period {
  readonly fromMs: number
  readonly text: string
  readonly isReassigning: boolean
}

interface PartitionHistory {
  readonly topicId: Uuid
  readonly topic: string
  readonly partition: number
  readonly created: readonly NodeId[]
  readonly createdMs: number
  readonly periods: Period[]
}

export class ReassignmentChecks {
  readonly #world: World
  readonly #partitions = new Map<string, PartitionHistory>()
  /** By topic name: a request does not say which of the topics of that name it means, and the next one may be there when it arrives. */
  readonly #requests = new Map<string, PendingReassignment[]>()

  constructor(world: World) {
    this.#world = world
  }

  invoked(topic: string, partition: number, target: readonly NodeId[] | null): PendingReassignment {
    const pending: PendingReassignment = { target, invokedMs: this.#world.nowMs, answeredMs: Infinity, isRefused: false }
    const requests = this.#requests.get(`${topic}-${partition}`)
    if (requests === undefined) this.#requests.set(`${topic}-${partition}`, [pending])
    else requests.push(pending)
    return pending
  }

  /** `errorCode` null: there was no answer, and it may take effect at any time. */
  answered(pending: PendingReassignment, errorCode: number | null): void {
    const isOpen = errorCode === null || errorCode === ErrorCode.REQUEST_TIMED_OUT || errorCode === ErrorCode.NOT_CONTROLLER
    if (isOpen) return
    pending.answeredMs = this.#world.nowMs
    pending.isRefused = errorCode !== ErrorCode.NONE
    if (pending.isRefused) return this.#world.probes.hit('reassignment refused')
    this.#world.probes.hit(pending.target === null ? 'reassignment canceled' : 'reassignment begun')
  }

  /** One step of the metadata. */
  changed(topicId: Uuid, topic: string, now: PartitionRegistration, before: PartitionRegistration | undefined): void {
    this.#note(topicId, topic, now)
    if (before === undefined) return
    const left = before.replicas.filter((id) => !now.replicas.includes(id))
    if (left.length === 0) return
    const original = before.replicas.filter((id) => !before.addingReplicas.includes(id))
    const details = { partition: `${topic}-${now.partition}`, before: shapeOf(before), now: shapeOf(now) }
    if (left.some((id) => original.includes(id))) {
      const newcomers = now.replicas.filter((id) => !original.includes(id))
      const isDone = now.addingReplicas.length + now.removingReplicas.length === 0
      const isComplete = isDone && now.isr.length > 0 && newcomers.every((id) => now.isr.includes(id))
      this.#world.judge('P18 RemovedWhenComplete', isComplete, details)
      this.#world.probes.hit('reassignment completed')
    }
    const hadCandidate = before.isr.length + before.elr.length > 0
    this.#world.judge('P18 CandidateStays', !hadCandidate || now.isr.length + now.elr.length > 0, details)
  }

  deleted(topicId: Uuid): void {
    for (const { topicId: id, periods } of this.#partitions.values()) {
      if (id === topicId) periods.push({ fromMs: this.#world.nowMs, text: 'deleted', isReassigning: false })
    }
  }

  /** Each is listed as it was at some moment since it was asked for, and what was under way all the time is listed. */
  listed(listed: readonly ListedReassignment[], askedMs: number): void {
    const found = new Set<string>()
    for (const one of listed) {
      const history = [...this.#partitions.values()].filter(({ topic, partition }) => topic === one.topic && partition === one.partition)
      const text = textOf(one)
      const was = history.some(({ periods }) => periods.some((period, at) => period.text === text && (periods[at + 1]?.fromMs ?? Infinity) >= askedMs))
      this.#world.judge('P18 ListedAsItIs', was, { ...one, text, askedMs })
      found.add(`${one.topic}-${one.partition}`)
    }
    for (const { topic, partition, periods } of this.#partitions.values()) {
      const since = periods.findLast(({ fromMs }) => fromMs < askedMs)
      const isUnderWayAllTheTime = since?.isReassigning === true && periods.at(-1) === since
      if (isUnderWayAllTheTime) this.#world.judge('P18 ListedAsItIs', found.has(`${topic}-${partition}`), { topic, partition, text: since.text, askedMs })
    }
  }

  /** Everybody who should is up and in sync, and nothing was asked for lately. */
  atQuiescence(image: MetadataImage, nodes: Iterable<SimulatedNode>): void {
    for (const topic of image.topics.byId.values()) {
      for (const registration of topic.partitions) this.#arrived(this.#of(topic.id, topic.name, registration), registration)
    }
    for (const node of nodes) {
      for (const { topicId, topicPartition: { topic, partition } } of node.logs?.replicas ?? []) {
        const replicas = image.topics.byId.get(topicId)?.partitions[partition]?.replicas
        if (replicas !== undefined) this.#world.judge('P18 NothingIsLeft', replicas.includes(node.id), { node: node.id, partition: `${topic}-${partition}`, replicas })
      }
    }
  }

  /** In the end the replicas are those of a request that no acknowledged one came after. */
  #arrived({ topic, created, createdMs }: PartitionHistory, now: PartitionRegistration): void {
    const requests = this.#requests.get(`${topic}-${now.partition}`) ?? []
    // What was answered before this topic was there was done to one that is gone.
    const effective = requests.filter(({ isRefused, answeredMs }) => !isRefused && answeredMs >= createdMs)
    const last = effective.filter((one) => !effective.some((later) => later.answeredMs < Infinity && later.invokedMs > one.answeredMs))
    // What was on its way when the topic was created may have been done to the one before.
    const isOpen = effective.every(({ invokedMs, answeredMs }) => answeredMs === Infinity || invokedMs < createdMs)
    // What a cancellation goes back to was wanted by somebody before; the order stays that of the canceled one, as in Kafka.
    const mayBeAny = last.some(({ target }) => target === null)
    const wanted = [...(mayBeAny ? effective : last).map(({ target }) => target), ...(mayBeAny || isOpen ? [created] : [])]
    const details = { partition: `${topic}-${now.partition}`, now: shapeOf(now), wanted: wanted.map((target) => target?.join() ?? 'canceled') }
    const ordered = (replicas: readonly NodeId[]): string => (mayBeAny ? replicas.toSorted() : replicas).join()
    this.#world.judge('P18 ArrivesWhereSent', wanted.some((target) => target !== null && ordered(target) === ordered(now.replicas)), details)
  }

  #note(topicId: Uuid, topic: string, now: PartitionRegistration): void {
    const { periods } = this.#of(topicId, topic, now)
    const text = textOf(now)
    if (periods.at(-1)?.text === text) return
    periods.push({ fromMs: this.#world.nowMs, text, isReassigning: now.addingReplicas.length + now.removingReplicas.length > 0 })
  }

  #of(topicId: Uuid, topic: string, { partition, replicas }: PartitionRegistration): PartitionHistory {
    const key = keyOf(topicId, partition)
    let history = this.#partitions.get(key)
    if (history === undefined) {
      history = { topicId, topic, partition, created: replicas, createdMs: this.#world.nowMs, periods: [] }
      this.#partitions.set(key, history)
    }
    return history
  }
}

function keyOf(topicId: Uuid, partition: number): string {
  return `${topicId}/${partition}`
}

function textOf({ replicas, addingReplicas, removingReplicas }: Pick<ListedReassignment, 'replicas' | 'addingReplicas' | 'removingReplicas'>): string {
  return `${replicas.join()} +${addingReplicas.join()} -${removingReplicas.join()}`
}

function shapeOf(registration: PartitionRegistration): string {
  return `${textOf(registration)} in sync ${registration.isr.join()} eligible ${registration.elr.join()}`
}
