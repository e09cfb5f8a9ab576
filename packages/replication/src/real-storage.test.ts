/** The same managers over the real storage, on a disk in memory that loses what was not synced. */
import { seededRandom, silentLogger } from '@kavka/kernel'
import { buildBatch, ErrorCode, nodeId } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import { LogManager, logManagerDefaults } from '@kavka/storage'
import { MemoryFileSystem, VirtualScheduler } from '@kavka/testkit'
import type { AppendResult } from './api.ts'
import { ReplicaManagerShell } from './replica-manager.ts'
import { logConfig } from './simulation/log-config-for-tests.ts'
import { changesBetween, LISTENER, ModelController, TOPIC } from './simulation/model-controller.ts'
import { SimulatedStreams } from './simulation/simulated-transport.ts'
import { emptyImage } from '@kavka/controller'
import type { MetadataImage } from '@kavka/controller'

const orders = { topic: TOPIC, partition: 0 }
const config = logConfig({ minInsyncReplicas: 1 })

class Broker {
  image: MetadataImage = emptyImage
  readonly id: NodeId
  readonly logs: LogManager
  readonly manager: ReplicaManagerShell

  constructor(id: NodeId, logs: LogManager, manager: ReplicaManagerShell) {
    this.id = id
    this.logs = logs
    this.manager = manager
  }

  publish(image: MetadataImage): void {
    const before = this.image
    this.image = image
    this.manager.publish(image, changesBetween(before, image), before)
  }
}

async function openBroker(id: NodeId, fs: MemoryFileSystem, scheduler: VirtualScheduler, streams: SimulatedStreams, controller: ModelController) {
  const random = seededRandom(id)
  const opened = await LogManager.open(
    { ...logManagerDefaults, logDirs: ['/data'], clusterId: 'simulated', nodeId: id, configOf: () => config },
    { fs, scheduler, random, logger: silentLogger },
  )
  if (!opened.ok) throw new Error(opened.error.message)
  const manager = new ReplicaManagerShell(
    {
      nodeId: id,
      clusterId: 'simulated',
      interBrokerListener: LISTENER,
      rack: null,
      replicaLagTimeMsMax: 30_000,
      fetchBytesMax: 2 ** 20,
      replicaFrameBytesMax: 2 ** 20,
      replicaFramesInFlightMax: 3,
      replicaBackoff: { delayMsMin: 20, delayMsMax: 1000 },
      replicaSelector: 'leader',
      controllerRequestTimeoutMs: 1000,
      parkedMax: 100,
    },
    {
      logs: opened.value,
      transport: streams.transportOf(id),
      controller: {
        request: async ({ body }) => ({ kind: 'answered', body: controller.alterPartition(body as never) }),
        openSession: () => ({ close: () => {} }),
      },
      scheduler,
      random,
      logger: silentLogger,
      brokerEpoch: () => controller.brokerEpoch(id),
      logConfigOf: () => config,
    },
  )
  return new Broker(id, opened.value, manager)
}

async function cluster() {
  const scheduler = new VirtualScheduler()
  const ids = [nodeId(1), nodeId(2)]
  const controller = new ModelController(ids, [ids])
  const streams = new SimulatedStreams({ delayMsMax: 0.2, fullProbability: 0, noticeMsMax: 1 }, { scheduler, random: seededRandom(1) })
  const disks = ids.map(() => new MemoryFileSystem({ syncDelayMs: 1 }, { scheduler }))
  const opening = Promise.all(ids.map((id, at) => openBroker(id, disks[at]!, scheduler, streams, controller)))
  await scheduler.advance(1000)
  const brokers = await opening
  const publish = async (ms = 50): Promise<void> => {
    for (const broker of brokers) broker.publish(controller.image)
    await scheduler.advance(ms)
  }
  await publish()
  return { scheduler, controller, brokers, disks, publish, streams, one: brokers[0]!, two: brokers[1]! }
}

function batch(text: string): Buffer {
  return buildBatch([{ timestamp: 1_700_000_000_000, key: null, value: Buffer.from(text), headers: [] }])
}

async function produce(broker: Broker, text: string, scheduler: VirtualScheduler, acks: -1 | 0 = -1): Promise<AppendResult> {
  const entries = [{ topicPartition: orders, topicId: null, records: batch(text) }]
  const answer = broker.manager.append({ acks, timeoutMs: 1000, origin: 'client', entries })
  let results: readonly AppendResult[] | null = null
  void answer.then((value) => (results = value))
  await scheduler.runUntil(() => results !== null, 2000)
  return results![0]!
}

test('replicates, commits, and serves on both brokers', async () => {
  const { scheduler, one, two } = await cluster()
  for (let at = 0; at < 3; at++) expect(await produce(one, `v${at}`, scheduler)).toMatchObject({ errorCode: 0, baseOffset: at })
  await scheduler.advance(10)
  for (const { manager } of [one, two]) {
    const view = manager.partition(orders)!
    expect([view.log.logEndOffset, view.log.durableEndOffset, view.log.highWatermark]).toEqual([3, 3, 3])
  }
})

test('cuts what the old leader alone had', async () => {
  const { scheduler, one, two, controller, publish, streams } = await cluster()
  await produce(one, 'committed', scheduler)
  streams.cut(one.id, two.id)
  await scheduler.advance(50)
  await produce(one, 'alone', scheduler, 0)
  controller.moveLeader(0, two.id)
  streams.heal()
  await publish(2000)
  expect(await produce(two, 'new', scheduler)).toMatchObject({ errorCode: 0, baseOffset: 1 })
  expect(one.manager.partition(orders)!.log.logEndOffset).toBe(2)
  expect(one.manager.metrics.troubledPartitionCount).toBe(0)
})

test('a leader that wrote nothing in its epoch follows the next one', async () => {
  const { scheduler, one, two, controller, publish } = await cluster()
  await produce(one, 'committed', scheduler)
  // Only broker 1 hears that it was given the lead once more (2 → 1): it notes the start of an epoch in which it never writes.
  controller.moveLeader(0, two.id)
  controller.moveLeader(0, one.id)
  one.publish(controller.image)
  await scheduler.advance(50)
  controller.moveLeader(0, two.id)
  await publish(2000)
  expect(await produce(two, 'new', scheduler)).toMatchObject({ errorCode: 0, baseOffset: 1 })
  expect(one.manager.partition(orders)!.log.logEndOffset).toBe(2)
  expect(one.manager.metrics.troubledPartitionCount).toBe(0)
})

test('what comes to a log that cannot begin its next segment is refused at once, not when its time is up', async () => {
  const { scheduler, one, disks } = await cluster()
  one.manager.partition(orders)!.log.reconfigure({ ...config, segmentBytes: 100 })
  expect(await produce(one, 'v0', scheduler)).toMatchObject({ errorCode: ErrorCode.NONE })
  disks[0]!.inject({ operation: 'open', code: 'EIO', pathIncludes: '00000000000000000001.log' })
  expect(await produce(one, 'v1', scheduler)).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
})
