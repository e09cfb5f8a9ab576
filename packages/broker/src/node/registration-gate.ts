/**
 * Keeps a broker from acting on metadata from before its own registration.
 *
 * A process that was killed and started again replays the log from the beginning, or a snapshot, and meets its past: images in which
 * it, with the epochs of its last life, leads partitions. Acted on, it would lead once more, count on an in-sync set of long ago
 * (perhaps itself alone), declare its unsynced tail committed, or make followers cut their logs to its wiped one. The registration
 * record ends that: in the same batch the controller takes leadership away from the previous life. So, as Kafka's broker does, this
 * one shows its replicas nothing before the image that contains it.
 */
import type { MetadataChanges, MetadataImage, MetadataLoader, MetadataPublisher } from '@kavka/controller'

export interface RegistrationGateDependencies {
  readonly loader: Pick<MetadataLoader, 'addPublisher' | 'publishedImage'>
  /** -1 before the registration was answered. */
  brokerEpoch(): number
  /** Gets the image that contains the registration as its first step, and everything after it. */
  readonly publisher: MetadataPublisher
}

const NOTHING_APPLIED = -1

export class RegistrationGate implements MetadataPublisher {
  readonly #deps: RegistrationGateDependencies
  #isOpen = false
  #appliedOffset = NOTHING_APPLIED

  constructor(dependencies: RegistrationGateDependencies) {
    this.#deps = dependencies
  }

  /** Called for every image of this node. */
  publish(): void {
    this.#openWhenRegistered()
  }

  /** Offset of the newest record that the broker has acted on; looks whether it may begin, for the answer may come after the record. */
  catchUp(): number {
    this.#openWhenRegistered()
    return this.#appliedOffset
  }

  #openWhenRegistered(): void {
    const { loader } = this.#deps
    const epoch = this.#deps.brokerEpoch()
    if (this.#isOpen || epoch < 0 || loader.publishedImage.offset < epoch) return
    this.#isOpen = true
    loader.addPublisher({ publish: (...step) => this.#apply(...step) })
  }

  #apply(image: MetadataImage, changes: MetadataChanges, previous: MetadataImage): void {
    this.#deps.publisher.publish(image, changes, previous)
    this.#appliedOffset = image.offset
  }
}
