/**
 * Turns the committed metadata log into images on this node, controller or not, and tells whoever serves from
 * them. Replay is at once, publishing is once a turn of the event loop: a burst of commits is one step for
 * the publishers.
 */
import { AssertionError, assert } from '@kavka/kernel'
import type { Logger, Scheduler } from '@kavka/kernel'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import { MetadataDelta } from '../metadata/delta.ts'
import type { MetadataChanges, MetadataImage, MetadataPublisher } from '../metadata/image.ts'
import { emptyImage } from '../metadata/image.ts'
import type { IndexedImage } from '../metadata/partition-index.ts'
import { emptyIndexedImage } from '../metadata/partition-index.ts'
import type { RecordCodec } from '../metadata/record-codec.ts'
import { imageOf, recordsOf } from '../metadata/snapshot.ts'
import type { QuorumStateMachine } from '../quorum/driver-contract.ts'
import type { Entry } from '../raft/messages.ts'
import type { RoleState } from '../raft/ready.ts'
import { changesBetween, mergeChanges } from './image-changes.ts'

export interface MetadataLoaderDependencies {
  readonly codec: RecordCodec
  readonly scheduler: Scheduler
  readonly log: Logger
}

/** The quorum controller of this node: hears of roles and commits at once, before any publisher. */
export interface ReplayObserver {
  onRoleChange(role: RoleState): void
  /** The image after every entry committed so far. */
  onReplayed(image: IndexedImage): void
}

interface Subscription {
  readonly publisher: MetadataPublisher
  /** A new publisher gets the whole image as its first step. */
  state: 'new' | 'following'
}

export class MetadataLoader implements QuorumStateMachine {
  readonly #codec: RecordCodec
  readonly #scheduler: Scheduler
  readonly #log: Logger
  readonly #subscriptions: Subscription[] = []
  #observer: ReplayObserver | null = null
  #image: IndexedImage = emptyIndexedImage
  #published: IndexedImage = emptyIndexedImage
  /** Between `#published` and `#image`. */
  #pending: MetadataChanges | null = null
  #publishing: 'idle' | 'scheduled' = 'idle'
  #publisherErrors = 0

  constructor({ codec, scheduler, log }: MetadataLoaderDependencies) {
    this.#codec = codec
    this.#scheduler = scheduler
    this.#log = log
  }

  /** As of the last committed entry; publishers may be a turn behind. */
  get image(): IndexedImage {
    return this.#image
  }

  /** What publishers were given last. */
  get publishedImage(): MetadataImage {
    return this.#published
  }

  /** Publishers that threw: this node serves from metadata that it did not apply. */
  get publisherErrors(): number {
    return this.#publisherErrors
  }

  /** Publishers are called in the order in which they were added. */
  addPublisher(publisher: MetadataPublisher): void {
    this.#subscriptions.push({ publisher, state: 'new' })
    if (this.#image !== emptyIndexedImage) this.#schedulePublish()
  }

  /** At most one. It learns the present image with the next commit, its role with the next change. */
  observe(observer: ReplayObserver): void {
    assert(this.#observer === null, 'the loader is observed already')
    this.#observer = observer
  }

  onRoleChange(role: RoleState): void {
    this.#observer?.onRoleChange(role)
  }

  onCommitted(entries: readonly Entry[]): void {
    const last = entries.at(-1)
    if (last === undefined) return
    const delta = new MetadataDelta(this.#image)
    for (const entry of entries) this.#replay(delta, entry)
    const { image, changes } = delta.finish(last.offset, last.epoch)
    this.#advance(image, changes)
  }

  onSnapshot(bytes: Uint8Array, offset: Offset, epoch: LeaderEpoch): void {
    const image = imageOf(this.#codec.decode(bytes), offset - 1, epoch)
    this.#log.info({ offset, epoch }, 'metadata snapshot loaded')
    this.#advance(image, changesBetween(this.#image, image))
  }

  snapshotState(): Uint8Array {
    return this.#codec.encode(recordsOf(this.#image))
  }

  #replay(delta: MetadataDelta, entry: Entry): void {
    assert(entry.offset > this.#image.offset, 'a metadata entry is replayed once', { offset: entry.offset })
    if (entry.kind !== 'data') return
    for (const record of this.#codec.decode(entry.payload)) delta.replay(record, entry.offset)
  }

  #advance(image: IndexedImage, changes: MetadataChanges): void {
    this.#pending = this.#pending === null ? changes : mergeChanges(this.#pending, changes, this.#published)
    this.#image = image
    this.#observer?.onReplayed(image)
    this.#schedulePublish()
  }

  #schedulePublish(): void {
    if (this.#publishing === 'scheduled') return
    this.#publishing = 'scheduled'
    this.#scheduler.soon(() => this.#publish())
  }

  #publish(): void {
    this.#publishing = 'idle'
    const previous = this.#published
    const changes = this.#pending
    this.#published = this.#image
    this.#pending = null
    for (const subscription of this.#subscriptions) {
      const isNew = subscription.state === 'new'
      subscription.state = 'following'
      if (isNew) this.#callPublisher(subscription, changesBetween(emptyImage, this.#published), emptyImage)
      else if (changes !== null) this.#callPublisher(subscription, changes, previous)
    }
  }

  /**
   * A publisher that fails must not keep the metadata from the others; a broken invariant stops the process
   * as everywhere.
   */
  #callPublisher({ publisher }: Subscription, changes: MetadataChanges, previous: MetadataImage): void {
    try {
      publisher.publish(this.#published, changes, previous)
    } catch (error) {
      if (error instanceof AssertionError) throw error
      this.#publisherErrors++
      this.#log.error({ err: error, offset: this.#published.offset }, 'a metadata publisher failed')
    }
  }
}
