/** A controller tells the active one where it listens, until the metadata says so: DescribeCluster and DescribeQuorum name controllers by it (KIP-919). */
import type { Scheduler } from '@kavka/kernel'
import { nodeRequest } from '@kavka/controller'
import type { ControllerChannel, MetadataImage } from '@kavka/controller'
import { ApiKey } from '@kavka/protocol'
import type { ControllerRegistrationRequest, Encodable, NodeId } from '@kavka/protocol'

const RETRY_PAUSE_MS = 200
const REQUEST_TIMEOUT_MS = 5_000

export interface ControllerRegistrationDeps {
  readonly channel: ControllerChannel
  readonly scheduler: Scheduler
  image(): MetadataImage
}

export class ControllerRegistrar {
  readonly #registration: Encodable<ControllerRegistrationRequest>
  readonly #deps: ControllerRegistrationDeps
  #stopped = false

  constructor(options: { readonly registration: Encodable<ControllerRegistrationRequest> }, deps: ControllerRegistrationDeps) {
    this.#registration = options.registration
    this.#deps = deps
  }

  start(): void {
    void this.#attempt()
  }

  stop(): void {
    this.#stopped = true
  }

  async #attempt(): Promise<void> {
    if (this.#stopped || this.#isRegistered()) return
    const message = { apiKey: ApiKey.ControllerRegistration, apiVersion: 0, body: this.#registration }
    const request = nodeRequest(this.#registration.controllerId as NodeId, message)
    await this.#deps.channel.request(request, REQUEST_TIMEOUT_MS)
    this.#deps.scheduler.after(RETRY_PAUSE_MS, () => void this.#attempt())
  }

  #isRegistered(): boolean {
    const { controllerId, incarnationId } = this.#registration
    return this.#deps.image().controllers.get(controllerId as NodeId)?.incarnationId === incarnationId
  }
}
