import { silentLogger } from '@kavka/kernel'
import type { ControllerChannel, ControllerReply, ControllerRequest } from '@kavka/controller'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { BrokerHeartbeatRequest, NodeId } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import { BrokerLifecycle } from './broker-lifecycle.ts'

type Script = (request: ControllerRequest) => ControllerReply

class FakeController implements ControllerChannel {
  readonly asked: ControllerRequest[] = []
  script: Script
  sessions: { closed: boolean; onClosed: () => void }[] = []

  constructor(script: Script) {
    this.script = script
  }

  request(request: ControllerRequest): Promise<ControllerReply> {
    this.asked.push(request)
    return Promise.resolve(this.script(request))
  }

  openSession(_session: object, onClosed: () => void): { close(): void } {
    const session = { closed: false, onClosed }
    this.sessions.push(session)
    return { close: () => void (session.closed = true) }
  }

  heartbeats(): Partial<BrokerHeartbeatRequest>[] {
    return this.asked.filter(({ apiKey }) => apiKey === ApiKey.BrokerHeartbeat).map(({ body }) => body as BrokerHeartbeatRequest)
  }

  registrations(): number {
    return this.asked.filter(({ apiKey }) => apiKey === ApiKey.BrokerRegistration).length
  }
}

function answered(body: object): ControllerReply {
  return { kind: 'answered', body }
}

function setUp(script: Script, replicaLagMsMax = 30_000) {
  const scheduler = new VirtualScheduler()
  const channel = new FakeController(script)
  const world = { offset: 0 }
  const lifecycle = new BrokerLifecycle(
    {
      nodeId: 1 as NodeId, heartbeatIntervalMs: 2000, sessionTimeoutMs: 9000, replicaLagMsMax, requestTimeoutMs: 4000, registrationTimeoutMs: 60_000,
      controlledShutdownMsMax: 30_000, registration: () => ({ brokerId: 1 }),
    },
    { channel, scheduler, logger: silentLogger, metadataOffset: () => world.offset, offlineLogDirs: () => [] },
  )
  return { scheduler, channel, world, lifecycle }
}

const unfencesWhenCaughtUp: Script = ({ apiKey, body }) => {
  if (apiKey === ApiKey.BrokerRegistration) return answered({ brokerEpoch: 7 })
  const { currentMetadataOffset } = body as BrokerHeartbeatRequest
  return answered({ isCaughtUp: currentMetadataOffset >= 7, isFenced: currentMetadataOffset < 7 })
}

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

test('registers, reports at once and serves when the controller has unfenced it', async () => {
  const { channel, world, lifecycle } = setUp(unfencesWhenCaughtUp)
  const started = lifecycle.start()
  await turns()
  expect(channel.heartbeats()).toHaveLength(1)
  expect([lifecycle.state, lifecycle.isFenced, lifecycle.brokerEpoch]).toEqual(['starting', true, 7])
  expect(channel.sessions).toHaveLength(1)
  world.offset = 7
  lifecycle.metadataAdvanced('routine')
  await expect(started).resolves.toEqual({ ok: true, value: undefined })
  expect([lifecycle.state, lifecycle.isFenced]).toEqual(['running', false])
})

test('a cluster of another id is final', async () => {
  const { lifecycle } = setUp(() => answered({ errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID }))
  await expect(lifecycle.start()).resolves.toMatchObject({ ok: false })
})

test('a stale epoch leads to a new registration', async () => {
  let epoch = 7
  let stale = false
  const { scheduler, channel, world, lifecycle } = setUp(({ apiKey }) => {
    if (apiKey === ApiKey.BrokerRegistration) return answered({ brokerEpoch: epoch })
    return answered(stale ? { errorCode: ErrorCode.STALE_BROKER_EPOCH } : { isFenced: false })
  })
  world.offset = 7
  await lifecycle.start()
  epoch = 9
  stale = true
  await scheduler.advance(2000)
  stale = false
  await scheduler.advance(20)
  await turns()
  expect(channel.registrations()).toBe(2)
  expect(lifecycle.brokerEpoch).toBe(9)
})

test('a broken session is opened again and the controller hears at once', async () => {
  const { scheduler, channel, world, lifecycle } = setUp(unfencesWhenCaughtUp)
  world.offset = 7
  await lifecycle.start()
  const before = channel.heartbeats().length
  channel.sessions[0]!.onClosed()
  await scheduler.advance(20)
  await turns()
  expect(channel.sessions).toHaveLength(2)
  expect(channel.heartbeats().length).toBe(before + 1)
})

test('controlled shutdown asks until it is allowed', async () => {
  let allowed = false
  const { scheduler, channel, world, lifecycle } = setUp((request) => {
    if (request.apiKey === ApiKey.BrokerRegistration) return answered({ brokerEpoch: 7 })
    return answered({ isFenced: false, shouldShutDown: allowed })
  })
  world.offset = 7
  await lifecycle.start()
  let done = false
  void lifecycle.controlledShutdown().then(() => void (done = true))
  await turns()
  expect(channel.heartbeats().at(-1)).toMatchObject({ wantShutDown: true })
  expect([done, lifecycle.state]).toEqual([false, 'pending-controlled-shutdown'])
  allowed = true
  await scheduler.advance(25)
  await turns()
  expect(done).toBe(true)
})

test('controlled shutdown ends when no controller is heard of', async () => {
  const { scheduler, channel, world, lifecycle } = setUp(unfencesWhenCaughtUp)
  world.offset = 7
  await lifecycle.start()
  channel.script = () => ({ kind: 'unreachable' })
  const shutdown = lifecycle.controlledShutdown().then(() => scheduler.monotonicMs())
  for (let step = 0; step < 40; step++) {
    await scheduler.advance(100)
    await turns()
  }
  expect(await shutdown).toBeLessThan(3_000)
})

test('that another broker is leaving is acknowledged at once, other news at the next heartbeat', async () => {
  const { channel, world, lifecycle } = setUp(unfencesWhenCaughtUp)
  world.offset = 7
  await lifecycle.start()
  const before = channel.heartbeats().length
  world.offset = 8
  lifecycle.metadataAdvanced('routine')
  expect(channel.heartbeats().length).toBe(before)
  lifecycle.metadataAdvanced('broker-leaving')
  expect(channel.heartbeats().slice(before)).toMatchObject([{ currentMetadataOffset: 8 }])
})

test('counts as counted in for half a session from when it asked, and not while it is fenced', async () => {
  const { scheduler, channel, world, lifecycle } = setUp(unfencesWhenCaughtUp)
  expect(lifecycle.isCountedIn).toBe(false)
  const started = lifecycle.start()
  await turns()
  expect(lifecycle.isCountedIn).toBe(false)
  world.offset = 7
  lifecycle.metadataAdvanced('routine')
  await started
  expect(lifecycle.isCountedIn).toBe(true)
  channel.script = () => ({ kind: 'unreachable' })
  await scheduler.advance(4_499)
  expect(lifecycle.isCountedIn).toBe(true)
  await scheduler.advance(1)
  expect(lifecycle.isCountedIn).toBe(false)
  channel.script = unfencesWhenCaughtUp
  await scheduler.advance(100)
  await turns()
  expect(lifecycle.isCountedIn).toBe(true)
  channel.script = () => answered({ isFenced: true })
  await scheduler.advance(2_000)
  await turns()
  expect(lifecycle.isCountedIn).toBe(false)
})

test('counts as counted in no longer than another leader would have to wait for it', async () => {
  const { scheduler, channel, world, lifecycle } = setUp(unfencesWhenCaughtUp, 1_500)
  world.offset = 7
  await lifecycle.start()
  channel.script = () => ({ kind: 'unreachable' })
  await scheduler.advance(749)
  expect(lifecycle.isCountedIn).toBe(true)
  await scheduler.advance(1)
  expect(lifecycle.isCountedIn).toBe(false)
})
