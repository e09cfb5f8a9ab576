/** What this broker's metadata says of the other brokers. */
import type { MetadataImage } from '@kavka/controller'
import { emptyImage, hasOnlineDirectory } from '@kavka/controller'
import type { NodeId, Uuid } from '@kavka/protocol'

export class BrokerDirectory {
  readonly #listener: string
  #image: MetadataImage = emptyImage

  /** `listener` is `inter.broker.listener.name`. */
  constructor({ listener }: { readonly listener: string }) {
    this.#listener = listener
  }

  get image(): MetadataImage {
    return this.#image
  }

  update(image: MetadataImage): void {
    this.#image = image
  }

  /** May join an in-sync set: unfenced, not leaving, and the very incarnation that acknowledged (KIP-841, KIP-903). */
  isEligible(id: NodeId, brokerEpoch: number): boolean {
    const broker = this.#image.brokers.get(id)
    if (broker === undefined || broker.fenced || broker.inControlledShutdown) return false
    return brokerEpoch === broker.epoch
  }

  hasOnlineDirectory(id: NodeId, directory: Uuid): boolean {
    const broker = this.#image.brokers.get(id)
    return broker !== undefined && hasOnlineDirectory(broker, directory)
  }

  isAlive(id: NodeId): boolean {
    return this.#image.brokers.get(id)?.fenced === false
  }

  brokerEpochOf(id: NodeId): number {
    return this.#image.brokers.get(id)?.epoch ?? -1
  }

  rackOf(id: NodeId): string | null {
    return this.#image.brokers.get(id)?.rack ?? null
  }

  addressOf(id: NodeId): { readonly host: string; readonly port: number } | null {
    const endpoints = this.#image.brokers.get(id)?.endpoints ?? []
    return endpoints.find(({ listener }) => listener === this.#listener) ?? null
  }
}
