/** Three controllers on a real quorum, in virtual time: what one of them answered, the next one knows. */
import { seededRandom, silentLogger } from '@kavka/kernel'
import { ApiKey } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import { MemoryKeyValueStore, VirtualScheduler } from '@kavka/testkit'
import { MetadataLoader } from '../loader/metadata-loader.ts'
import type { ControllerReply } from '../ports.ts'
import { QuorumDriver } from '../quorum/quorum-driver.ts'
import { describeImage } from '../testing/describe-image.ts'
import { jsonRecordCodec } from '../testing/json-record-codec.ts'
import { CLUSTER_ID, settingsOf, testUuid } from '../testing/test-cluster.ts'
import { QuorumController } from './quorum-controller.ts'

const NETWORK_DELAY_MS = 1

interface Member {
  readonly id: NodeId
  readonly driver: QuorumDriver
  readonly loader: MetadataLoader
  readonly controller: QuorumController
}

class Trio {
  readonly scheduler = new VirtualScheduler()
  readonly members: Member[] = []
  readonly down = new Set<NodeId>()
  readonly #ids = [1, 2, 3] as NodeId[]

  async start(): Promise<this> {
    for (const id of this.#ids) this.members.push(this.#member(id))
    const started = Promise.all(this.members.map(({ driver }) => driver.start()))
    await this.scheduler.advance(50)
    await started
    return this
  }

  #member(id: NodeId): Member {
    const { scheduler } = this
    const random = seededRandom(id)
    const loader = new MetadataLoader({ codec: jsonRecordCodec, scheduler, log: silentLogger })
    const driver = new QuorumDriver(
      { nodeId: id, clusterId: CLUSTER_ID, voterIds: this.#ids, snapshotAfterBytes: 3000 },
      {
        scheduler,
        random,
        stateMachine: loader,
        logger: silentLogger,
        store: new MemoryKeyValueStore({ writeDelayMs: 1 }, { scheduler }),
        peers: {
          send: (to, message) => this.#deliver(id, to, () => this.members[to - 1]!.driver.receive(message)),
        },
        onFatal: (error) => {
          throw error as Error
        },
      },
    )
    const probe = { probe: () => Promise.resolve('answered' as const) }
    const settings = { ...settingsOf(), nodeId: id }
    const controller = new QuorumController(settings, {
      quorum: driver,
      loader,
      codec: jsonRecordCodec,
      probe,
      scheduler,
      random,
      log: silentLogger,
    })
    return { id, driver, loader, controller }
  }

  #deliver(from: NodeId, to: NodeId, receive: () => void): void {
    this.scheduler.after(NETWORK_DELAY_MS, () => {
      if (!this.down.has(from) && !this.down.has(to)) receive()
    })
  }

  get alive(): Member[] {
    return this.members.filter(({ id }) => !this.down.has(id))
  }

  async active(): Promise<Member> {
    const found = (): Member | undefined => this.alive.find(({ controller }) => controller.isActive)
    if (!(await this.scheduler.runUntil(() => found() !== undefined, 20_000)))
      throw new Error('no active controller')
    return found()!
  }

  async ask(member: Member, apiKey: number, apiVersion: number, body: unknown): Promise<ControllerReply> {
    let reply: ControllerReply | null = null
    const request = {
      apiKey,
      apiVersion,
      body,
      principal: 'User:a',
      clientId: '',
      clientHost: '',
      listener: 'L',
    }
    void member.controller.handle(request).then((value) => {
      reply = value
    })
    await this.scheduler.runUntil(() => reply !== null, 20_000)
    return reply!
  }

  register(member: Member, brokerId: number): Promise<ControllerReply> {
    return this.ask(member, ApiKey.BrokerRegistration, 4, {
      brokerId,
      clusterId: CLUSTER_ID,
      incarnationId: testUuid(brokerId),
      listeners: [{ name: 'PLAINTEXT', host: 'localhost', port: brokerId, securityProtocol: 0 }],
      features: [
        { name: 'metadata.version', minSupportedVersion: 30, maxSupportedVersion: 30 },
        { name: 'eligible.leader.replicas.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
      ],
      rack: null,
      isMigratingZkBroker: false,
      logDirs: [testUuid(100 + brokerId)],
      previousBrokerEpoch: -1,
    })
  }
}

test('a new leader decides on everything its predecessor answered; every node has the same metadata', async () => {
  const trio = await new Trio().start()
  const first = await trio.active()
  for (let brokerId = 10; brokerId < 30; brokerId++) {
    const reply = await trio.register(first, brokerId)
    expect(reply).toMatchObject({
      kind: 'answered',
      body: { errorCode: 0, brokerEpoch: first.loader.image.brokers.get(brokerId as NodeId)!.epoch },
    })
  }
  trio.down.add(first.id)
  for (const { driver } of trio.alive) driver.peerUnreachable(first.id)
  const second = await trio.active()
  expect(second.id).not.toBe(first.id)
  expect(second.loader.image.brokers.size).toBe(20)
  expect(await trio.register(second, 30)).toMatchObject({ kind: 'answered', body: { errorCode: 0 } })

  // What the deposed one still believes to lead cannot be committed: nobody is told that it was.
  let lost: ControllerReply | null = null
  void trio.register(first, 31).then((reply) => {
    lost = reply
  })
  await trio.scheduler.advance(10)
  expect(lost).toBeNull()
  trio.down.clear()
  await trio.scheduler.advance(10_000)
  expect(lost).toEqual({ kind: 'unreachable' })
  const leader = await trio.active()
  expect(await trio.register(leader, 32)).toMatchObject({ kind: 'answered', body: { errorCode: 0 } })
  await trio.scheduler.advance(5_000)
  expect(trio.members.filter(({ controller }) => controller.isActive).length).toBe(1)
  const [one, other, last] = trio.members.map(({ loader }) => describeImage(loader.image))
  expect(other).toEqual(one)
  expect(last).toEqual(one)
  expect([...leader.loader.image.brokers.keys()].sort()).toEqual([
    ...Array.from({ length: 21 }, (_, i) => 10 + i),
    32,
  ])
  const stopped = Promise.all(trio.members.map(({ driver }) => driver.stop()))
  await trio.scheduler.advance(50)
  await stopped
})
