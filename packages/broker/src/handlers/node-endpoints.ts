/** KIP-951: a client that asked the wrong broker is told the leader and how to reach it, and need not ask for metadata. */
import type { MetadataImage } from '@kavka/controller'
import type { NodeId } from '@kavka/protocol'
import type { CurrentLeader } from '@kavka/replication'
import { addressOf } from './cluster-view.ts'
import type { BrokerAddress } from './cluster-view.ts'

export interface LeaderIdAndEpoch {
  readonly leaderId: number
  readonly leaderEpoch: number
}

export function leaderIdAndEpoch(leader: CurrentLeader): LeaderIdAndEpoch {
  return { leaderId: leader.leaderId ?? -1, leaderEpoch: leader.leaderEpoch }
}

const NONE: readonly BrokerAddress[] = []

/** The addresses of all leaders named in a response, once each. */
export class NodeEndpoints {
  readonly #image: MetadataImage
  readonly #listener: string
  #addresses: Map<NodeId, BrokerAddress> | null = null

  constructor(image: MetadataImage, listener: string) {
    this.#image = image
    this.#listener = listener
  }

  add(leader: CurrentLeader): void {
    if (leader.leaderId === null || this.#addresses?.has(leader.leaderId) === true) return
    const address = addressOf(this.#image, leader.leaderId, this.#listener)
    if (address !== null) (this.#addresses ??= new Map()).set(leader.leaderId, address)
  }

  list(): readonly BrokerAddress[] {
    return this.#addresses === null ? NONE : [...this.#addresses.values()]
  }
}
