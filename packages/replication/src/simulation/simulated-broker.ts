/** One incarnation of a broker: a real replica manager over a memory disk, deaf and mute once it crashed. */
import type { ControllerChannel, MetadataImage } from '@kavka/controller'
import { emptyImage } from '@kavka/controller'
import { silentLogger } from '@kavka/kernel'
import type { Random, Scheduler } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import type { LogConfig } from '@kavka/storage'
import type { ReplicationTransport } from '../ports.ts'
import { ReplicaManagerShell } from '../replica-manager.ts'
import { MemoryLogStore } from './memory-log-store.ts'
import type { Remains } from './memory-log-store.ts'
import type { LogObserver, MemoryLogOptions } from './memory-partition-log.ts'
import { changesBetween, LISTENER } from './model-controller.ts'

export interface SimulatedBrokerOptions {
  readonly id: NodeId
  readonly brokerEpoch: number
  readonly logConfig: LogConfig
  readonly log: MemoryLogOptions
  readonly replicaLagTimeMsMax: number
  readonly replicaSelector?: 'leader' | 'rack-aware'
}

export interface SimulatedBrokerDependencies {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly transport: ReplicationTransport
  readonly controller: ControllerChannel
  readonly remains: Remains
  readonly observer: LogObserver | null
  readonly afterEvent: () => void
}

export class SimulatedBroker {
  readonly id: NodeId
  readonly brokerEpoch: number
  readonly store: MemoryLogStore
  readonly manager: ReplicaManagerShell
  isAlive = true
  #image: MetadataImage = emptyImage

  constructor(options: SimulatedBrokerOptions, dependencies: SimulatedBrokerDependencies) {
    this.id = options.id
    this.brokerEpoch = options.brokerEpoch
    const { random, transport, controller } = dependencies
    const scheduler = this.#whileAlive(dependencies.scheduler, dependencies.afterEvent)
    this.store = new MemoryLogStore(options.log, { scheduler, random }, dependencies.remains, dependencies.observer)
    this.manager = new ReplicaManagerShell(
      {
        nodeId: options.id,
        clusterId: 'simulated',
        interBrokerListener: LISTENER,
        rack: `rack-${options.id}`,
        replicaLagTimeMsMax: options.replicaLagTimeMsMax,
        fetchBytesMax: 55 * 2 ** 20,
        replicaFrameBytesMax: 2 ** 20,
        replicaFramesInFlightMax: 3,
        replicaBackoff: { delayMsMin: 20, delayMsMax: 1000 },
        replicaSelector: options.replicaSelector ?? 'leader',
        controllerRequestTimeoutMs: 1000,
        parkedMax: 10_000,
      },
      {
        logs: this.store,
        transport,
        controller: this.#guarded(controller),
        scheduler,
        random,
        logger: silentLogger,
        brokerEpoch: () => options.brokerEpoch,
        logConfigOf: () => options.logConfig,
      },
    )
  }

  get image(): MetadataImage {
    return this.#image
  }

  publish(image: MetadataImage): void {
    if (!this.isAlive || image.offset <= this.#image.offset) return
    const previous = this.#image
    this.#image = image
    this.manager.publish(image, changesBetween(previous, image), previous)
  }

  crash(): Remains {
    this.isAlive = false
    return this.store.crash()
  }

  async stop(): Promise<Remains> {
    await this.manager.stop()
    this.isAlive = false
    return this.store.close()
  }

  #whileAlive(scheduler: Scheduler, afterEvent: () => void): Scheduler {
    const guard = (callback: () => void) => () => {
      if (!this.isAlive) return
      callback()
      afterEvent()
    }
    return {
      wallMs: () => scheduler.wallMs(),
      monotonicMs: () => scheduler.monotonicMs(),
      after: (delayMs, callback) => scheduler.after(delayMs, guard(callback)),
      soon: (callback) => scheduler.soon(guard(callback)),
    }
  }

  /** A reply that reaches a dead process is read by nobody. */
  #guarded(controller: ControllerChannel): ControllerChannel {
    return {
      request: (request, timeoutMs) =>
        new Promise((resolve) => {
          void controller.request(request, timeoutMs).then((reply) => {
            if (this.isAlive) resolve(reply)
          })
        }),
      openSession: (session, onClosed) => controller.openSession(session, onClosed),
    }
  }
}
