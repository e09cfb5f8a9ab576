/** Fetches of consumers: read at once, or park until there is enough. */
import { assert } from '@kavka/kernel'
import type { Scheduler } from '@kavka/kernel'
import type { FetchParameters, FetchPartitionResult } from '../api.ts'
import { Purgatory } from '../core/purgatory.ts'
import type { ParkedRequest } from '../core/purgatory.ts'
import { FetchRead } from './fetch-read.ts'
import type { FetchReadDependencies } from './fetch-read.ts'
import { OnceATurn } from '../once-a-turn.ts'
import type { FetchWatch } from '../partition/partition-waiters.ts'
import type { Partition } from '../partition/partition.ts'
import { PurgatoryTimer } from './purgatory-timer.ts'

export interface FetchPathOptions {
  /** `fetch.max.bytes`: no answer gets larger, whatever the client allows. */
  readonly bytesMax: number
  /** Bound of the purgatory: beyond it fetches are answered at once with what there is. */
  readonly parkedMax: number
}

export interface FetchPathDependencies extends FetchReadDependencies {
  readonly scheduler: Scheduler
}

type Results = readonly FetchPartitionResult[]

export class FetchPath {
  readonly purgatory: Purgatory
  readonly #options: FetchPathOptions
  readonly #dependencies: FetchPathDependencies
  readonly #timer: PurgatoryTimer
  /** Parked fetches that something happened to in this turn: looked at once, when all of the turn has happened. */
  #woken = new Set<ParkedFetch>()
  readonly #wake: OnceATurn

  constructor(options: FetchPathOptions, dependencies: FetchPathDependencies) {
    this.#options = options
    this.#dependencies = dependencies
    this.purgatory = new Purgatory(options)
    this.#timer = new PurgatoryTimer(this.purgatory, dependencies)
    this.#wake = new OnceATurn(() => this.#reviewWoken(), dependencies)
  }

  fetch(parameters: FetchParameters): Promise<Results> {
    const read = this.#newRead(parameters)
    const reading = read.run()
    if (reading === null) return this.#answerOrPark(parameters, read, ignore)
    // While the read went through the file the partitions moved on unwatched: look once more.
    return reading.then(() => this.#answerOrPark(parameters, read, (parked) => this.#noteWoken(parked)))
  }

  stop(): void {
    this.#wake.stop()
    this.#timer.stop()
    this.purgatory.expire(Infinity)
  }

  #answerOrPark(
    parameters: FetchParameters,
    read: FetchRead,
    onParked: (fetch: ParkedFetch) => void,
  ): Promise<Results> {
    if (read.isSatisfied || parameters.waitMsMax <= 0 || this.purgatory.isFull) return Promise.resolve(read.results)
    return new Promise((resolve) => {
      const parked = new ParkedFetch(parameters, this.#watched(parameters), {
        woken: (fetch) => this.#noteWoken(fetch),
        expired: (fetch) => this.#finish(fetch),
        resolve,
      })
      this.#timer.park(parked, parameters.waitMsMax)
      onParked(parked)
    })
  }

  #watched(parameters: FetchParameters): Partition[] {
    const partitions: Partition[] = []
    for (const { topicPartition } of parameters.partitions) {
      const partition = this.#dependencies.directory.find(topicPartition)
      if (partition !== null) partitions.push(partition)
    }
    return partitions
  }

  #noteWoken(fetch: ParkedFetch): void {
    this.#woken.add(fetch)
    this.#wake.request()
  }

  #reviewWoken(): void {
    const woken = this.#woken
    this.#woken = new Set()
    for (const fetch of woken) if (!fetch.isDone) this.#review(fetch)
  }

  #review(fetch: ParkedFetch): void {
    const read = this.#newRead(fetch.parameters)
    const reading = read.run()
    if (reading === null) this.#settle(fetch, read)
    else void reading.then(() => this.#settle(fetch, read))
  }

  #settle(fetch: ParkedFetch, read: FetchRead): void {
    if (!fetch.isDone && read.isSatisfied) this.#answer(fetch, read.results)
  }

  /** Out of time: with whatever there is now. */
  #finish(fetch: ParkedFetch): void {
    const read = this.#newRead(fetch.parameters)
    const reading = read.run()
    if (reading === null) this.#answer(fetch, read.results)
    else void reading.then(() => this.#answer(fetch, read.results))
  }

  #answer(fetch: ParkedFetch, results: Results): void {
    this.purgatory.release(fetch)
    fetch.answer(results)
  }

  #newRead(parameters: FetchParameters): FetchRead {
    return new FetchRead(parameters, this.#options.bytesMax, this.#dependencies)
  }
}

function ignore(): void {}

interface ParkedFetchEvents {
  woken(fetch: ParkedFetch): void
  expired(fetch: ParkedFetch): void
  resolve(results: Results): void
}

class ParkedFetch implements ParkedRequest, FetchWatch {
  deadlineSlot: number | null = null
  readonly parameters: FetchParameters
  isDone = false
  readonly #partitions: readonly Partition[]
  readonly #events: ParkedFetchEvents

  constructor(parameters: FetchParameters, partitions: readonly Partition[], events: ParkedFetchEvents) {
    this.parameters = parameters
    this.#partitions = partitions
    this.#events = events
    for (const partition of partitions) partition.waiters.fetches.add(this)
  }

  partitionChanged(): void {
    this.#events.woken(this)
  }

  expire(): void {
    if (!this.isDone) this.#events.expired(this)
  }

  answer(results: Results): void {
    if (this.isDone) return
    assert(results.length === this.parameters.partitions.length, 'a result for each partition')
    this.isDone = true
    for (const partition of this.#partitions) partition.waiters.fetches.delete(this)
    this.#events.resolve(results)
  }
}
