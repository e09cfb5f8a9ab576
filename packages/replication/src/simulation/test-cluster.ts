/** A few brokers on a perfect network for unit tests: real replica managers, syncs when the test says so. */
import { seededRandom } from '@kavka/kernel'
import type { Scheduler } from '@kavka/kernel'
import type { ControllerChannel, MetadataImage } from '@kavka/controller'
import { ApiKey, nodeId } from '@kavka/protocol'
import type { AlterPartitionRequest, NodeId } from '@kavka/protocol'
import type { LogConfig } from '@kavka/storage'
import { logConfig } from './log-config-for-tests.ts'
import type { MemoryLogOptions, MemoryPartitionLog } from './memory-partition-log.ts'
import { ModelController, TOPIC } from './model-controller.ts'
import { SimulatedBroker } from './simulated-broker.ts'
import { SimulatedStreams } from './simulated-transport.ts'

export interface TestClusterOptions {
  readonly brokers: number
  readonly partitions?: number
  readonly config?: Partial<LogConfig>
  readonly log?: MemoryLogOptions
  readonly replicaSelector?: 'leader' | 'rack-aware'
}

export class TestCluster {
  readonly controller: ModelController
  readonly streams: SimulatedStreams
  readonly brokers: readonly SimulatedBroker[]
  readonly alterPartitions: AlterPartitionRequest[] = []

  constructor(options: TestClusterOptions, { scheduler }: { readonly scheduler: Scheduler }) {
    const ids = Array.from({ length: options.brokers }, (_, index) => nodeId(index + 1))
    const random = seededRandom(7)
    this.controller = new ModelController(
      ids,
      Array.from({ length: options.partitions ?? 1 }, () => ids),
    )
    this.streams = new SimulatedStreams(
      { delayMsMax: 0.2, fullProbability: 0, noticeMsMax: 1 },
      { scheduler, random },
    )
    this.brokers = ids.map(
      (id) =>
        new SimulatedBroker(
          {
            id,
            brokerEpoch: this.controller.brokerEpoch(id),
            logConfig: logConfig(options.config),
            log: options.log ?? { sync: { kind: 'after', delayMsMax: 1 }, slowReadProbability: 0 },
            replicaLagTimeMsMax: 30_000,
            replicaSelector: options.replicaSelector ?? 'leader',
          },
          {
            scheduler,
            random,
            transport: this.streams.transportOf(id),
            controller: this.#channel(),
            remains: new Map(),
            observer: null,
            afterEvent: () => {},
          },
        ),
    )
  }

  broker(id: number): SimulatedBroker {
    return this.brokers[id - 1]!
  }

  log(id: number, partition = 0): MemoryPartitionLog {
    return this.broker(id).store.get({ topic: TOPIC, partition })!
  }

  /** Everybody learns what the controller knows, or the image given. */
  publish(image: MetadataImage = this.controller.image, to: readonly NodeId[] = this.brokers.map(({ id }) => id)): void {
    for (const broker of this.brokers) if (to.includes(broker.id)) broker.publish(image)
  }

  #channel(): ControllerChannel {
    return {
      request: async (request) => {
        const { apiKey, body } = request
        if (apiKey === ApiKey.AlterPartition) this.alterPartitions.push(body as AlterPartitionRequest)
        return { kind: 'answered', body: this.controller.answer(apiKey, body) }
      },
      openSession: () => ({ close: () => {} }),
    }
  }
}
