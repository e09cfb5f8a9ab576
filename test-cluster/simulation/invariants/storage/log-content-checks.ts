/** S3 and S9: what a log holds is its own, and what has rotted in it is said rather than thrown away. */
import type { NodeId, Uuid } from '@kavka/protocol'
import type { World } from '../../world/world.ts'

/** A log as a start has found it. */
export interface OpenedLog {
  readonly node: NodeId
  readonly topicId: Uuid
  readonly topic: string
  readonly partition: number
  readonly logEndOffset: number
  readonly isCorrupt: boolean
}

interface Home {
  readonly topicId: Uuid
  readonly partition: number
}

interface Promised {
  readonly topicId: Uuid
  readonly partition: number
  /** Below it all was on the disk and recorded to be so. */
  readonly recordedEnd: number
}

export class LogContentChecks {
  readonly #world: World
  /** By checksum of a batch, which covers a unique payload: the partitions that took it in. */
  readonly #homes = new Map<number, Home[]>()
  readonly #rotten = new Map<NodeId, readonly Promised[]>()

  constructor(world: World) {
    this.#world = world
  }

  /** A leader is about to append it. */
  appending(topicId: Uuid, partition: number, crc: number): void {
    const homes = this.#homes.get(crc)
    if (homes === undefined) this.#homes.set(crc, [{ topicId, partition }])
    else if (!isAmong(homes, topicId, partition)) homes.push({ topicId, partition })
  }

  /** S9: found in a log, or served from it, at that very place. */
  found(node: NodeId, topicId: Uuid, partition: number, batch: { readonly base: number; readonly crc: number }): void {
    const homes = this.#homes.get(batch.crc)
    const isHome = homes !== undefined && isAmong(homes, topicId, partition)
    this.#world.judge('S9 ContentIsOwn', isHome, { node, topicId, partition, base: batch.base, of: homes ?? null })
  }

  /** Bytes under this node's logs have changed by themselves. `promised`: what its recovery points say of each. */
  rotted(node: NodeId, promised: readonly Promised[]): void {
    this.#rotten.set(node, promised)
  }

  /** The next life of that node may cut what it finds: all that is behind it was judged. */
  restarted(node: NodeId): void {
    this.#rotten.delete(node)
  }

  /** Its log was deleted on purpose. */
  forgotten(node: NodeId, topicId: Uuid, partition: number): void {
    const promised = this.#rotten.get(node)?.filter((one) => one.topicId !== topicId || one.partition !== partition)
    if (promised !== undefined) this.#rotten.set(node, promised)
  }

  /** S3: below the recovery point nothing is cut as if it were a torn tail. */
  opened(log: OpenedLog): void {
    const promised = this.#rotten.get(log.node)?.find((one) => one.topicId === log.topicId && one.partition === log.partition)
    if (promised === undefined) return
    const details = { node: log.node, partition: `${log.topic}-${log.partition}`, end: log.logEndOffset, recordedEnd: promised.recordedEnd }
    this.#world.judge('S3 RotIsNotCut', log.isCorrupt || log.logEndOffset >= promised.recordedEnd, details)
  }

  /** S3: what is damaged is only emptied, to be filled again, where nobody could elect it any more. */
  emptying(node: NodeId, partition: string, isCandidate: boolean): void {
    this.#world.probes.hit('damaged log filled again')
    this.#world.judge('S3 RotIsNotCut', !isCandidate, { node, partition, isCandidate })
  }
}

function isAmong(homes: readonly Home[], topicId: Uuid, partition: number): boolean {
  return homes.some((home) => home.partition === partition && home.topicId === topicId)
}

export type { Promised }
