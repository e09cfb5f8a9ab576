import { status } from '@grpc/grpc-js'
import type { ServiceError } from '@grpc/grpc-js'
import type { ControllerReply, ControllerRequest, ControllerService } from '@kavka/controller'
import { silentLogger, systemScheduler } from '@kavka/kernel'
import type { Scheduler } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { ApiKey, apis } from '@kavka/protocol'
import { headersFor } from '../call-headers.ts'
import { encodeControllerRequest as encodeWireRequest } from '../gen/controller.ts'
import { SILENCE_MS_MAX } from '../connection-watch.ts'
import { dial, plaintext } from '../grpc-client.ts'
import type { NodeAddress } from '../node-address.ts'
import { GrpcEndpoint } from '../grpc-endpoint.ts'
import type { AllowedServices } from '../grpc-endpoint.ts'
import { encodeProto } from '../proto-runtime.ts'
import { passThrough } from '../service-provider.ts'
import { listenOnLoopback } from '../testing/loopback-listener.ts'
import { CuttingProxy } from '../testing/cutting-proxy.ts'
import { StandingTime } from '../testing/standing-time.ts'
import { quiet, until } from '../testing/until.ts'
import { ControllerChannelClient } from './controller-channel-client.ts'
import { REQUEST_PATH } from './controller-calls.ts'
import { ControllerServiceAdapter } from './controller-service-adapter.ts'

const ownId = 2 as NodeId
const controllerId = 1 as NodeId
const otherId = 3 as NodeId

class FakeController implements ControllerService {
  readonly requests: ControllerRequest[] = []
  readonly sessions: string[] = []
  reply: (request: ControllerRequest) => Promise<ControllerReply> = () => new Promise(() => {})

  handle(request: ControllerRequest): Promise<ControllerReply> {
    this.requests.push(request)
    return this.reply(request)
  }

  sessionOpened(brokerId: NodeId, brokerEpoch: number): void {
    this.sessions.push(`opened ${brokerId} ${brokerEpoch}`)
  }

  sessionLost(brokerId: NodeId, brokerEpoch: number): void {
    this.sessions.push(`lost ${brokerId} ${brokerEpoch}`)
  }
}

const running: { close(): void | Promise<void> }[] = []
afterEach(async () => {
  for (const each of running.splice(0)) await each.close()
})

async function startController(clusterId = 'cluster', allowed: AllowedServices = 'controller'): Promise<{ service: FakeController; port: number; stop(): Promise<void> }> {
  const service = new FakeController()
  const adapter = new ControllerServiceAdapter({ clusterId }, { service, logger: silentLogger })
  const listener = await listenOnLoopback({ allowed }, new GrpcEndpoint({ providers: [adapter] }))
  running.push(listener)
  return { service, port: listener.port, stop: () => listener.close() }
}

function makeChannel(
  ports: readonly (readonly [NodeId, number])[],
  localService: ControllerService | null = null,
  scheduler: Scheduler = systemScheduler,
): ControllerChannelClient {
  const controllers = new Map<NodeId, NodeAddress>(ports.map(([id, port]) => [id, { host: '127.0.0.1', port }]))
  const channel = new ControllerChannelClient(
    { clusterId: 'cluster', nodeId: ownId, controllers },
    { scheduler, logger: silentLogger, credentialsOf: plaintext, localService },
  )
  running.push(channel)
  return channel
}

const heartbeat: ControllerRequest = {
  apiKey: ApiKey.BrokerHeartbeat,
  apiVersion: 1,
  body: {
    ...(apis.get(ApiKey.BrokerHeartbeat)!.requestCodec.defaults() as object),
    brokerId: 2, brokerEpoch: 2 ** 40, currentMetadataOffset: 17, wantFence: false, wantShutDown: true,
  },
  principal: 'User:břízka', clientId: 'client', clientHost: '/10.0.0.1', listener: 'INTERNAL',
}

const heartbeatResponse = {
  ...(apis.get(ApiKey.BrokerHeartbeat)!.responseCodec.defaults() as object),
  throttleTimeMs: 3, errorCode: 0, isCaughtUp: true, isFenced: false, shouldShutDown: true,
}

test('a request reaches the active controller as it was, and so does its answer', async () => {
  const { service, port } = await startController()
  service.reply = () => Promise.resolve({ kind: 'answered', body: heartbeatResponse })
  const channel = makeChannel([[controllerId, port]])
  channel.setLeader(controllerId)
  expect(await channel.request(heartbeat, 1_000)).toEqual({ kind: 'answered', body: heartbeatResponse })
  expect(service.requests).toEqual([heartbeat])
})

test.each([null, otherId])('a controller that is not active (any more) names %s', async (leaderId) => {
  const { service, port } = await startController()
  service.reply = () => Promise.resolve({ kind: 'not-controller', leaderId })
  const channel = makeChannel([[controllerId, port]])
  channel.setLeader(controllerId)
  expect(await channel.request(heartbeat, 1_000)).toEqual({ kind: 'not-controller', leaderId })
})

test('without a leader nothing is done', async () => {
  expect(await makeChannel([]).request(heartbeat, 1_000)).toEqual({ kind: 'not-controller', leaderId: null })
})

test('the deadline, a refused connection, another cluster and the wrong listener are unreachable, all but the first at once', async () => {
  // Less than it takes to give a silent connection up.
  const TIMEOUT_MS = 1_000
  const time = new StandingTime()
  async function ask(port: number) {
    const channel = makeChannel([[controllerId, port]], null, time.scheduler)
    channel.setLeader(controllerId)
    const asked: { reply: ControllerReply | null } = { reply: null }
    void channel.request(heartbeat, TIMEOUT_MS).then((reply) => (asked.reply = reply))
    return { asked }
  }
  const silent = await startController()
  const foreign = await startController('other')
  const wrong = await startController('cluster', 'replication')
  const gone = await startController()
  await gone.stop()
  for (const { port } of [foreign, wrong, gone]) {
    const { asked } = await ask(port)
    await time.until(() => asked.reply !== null)
    expect(asked.reply).toEqual({ kind: 'unreachable' })
  }
  const { asked } = await ask(silent.port)
  await time.until(() => silent.service.requests.length === 1)
  await time.pass(TIMEOUT_MS - 1)
  expect(asked.reply).toBeNull()
  await time.pass(1)
  await time.until(() => asked.reply !== null)
  expect(asked.reply).toEqual({ kind: 'unreachable' })
  expect(foreign.service.requests).toEqual([])
  expect(wrong.service.requests).toEqual([])
})

test('an answer that its version cannot carry fails the call and not the controller', async () => {
  const { service, port } = await startController()
  service.reply = () => Promise.resolve({ kind: 'answered', body: { errorCode: 0, topics: [], nodes: [{ nodeId: 1, listeners: [] }] } })
  const channel = makeChannel([[controllerId, port]])
  channel.setLeader(controllerId)
  const describeQuorum = { ...heartbeat, apiKey: ApiKey.DescribeQuorum, apiVersion: 0, body: { topics: [] } }
  expect(await channel.request(describeQuorum, 1_000)).toEqual({ kind: 'unreachable' })
  service.reply = () => Promise.resolve({ kind: 'answered', body: heartbeatResponse })
  expect((await channel.request(heartbeat, 1_000)).kind).toBe('answered')
})

test('a request right after a failed one dials anew', async () => {
  const first = await startController()
  await first.stop()
  const channel = makeChannel([[controllerId, first.port]])
  channel.setLeader(controllerId)
  expect(await channel.request(heartbeat, 1_000)).toEqual({ kind: 'unreachable' })
  const service = new FakeController()
  service.reply = () => Promise.resolve({ kind: 'answered', body: heartbeatResponse })
  const adapter = new ControllerServiceAdapter({ clusterId: 'cluster' }, { service, logger: silentLogger })
  running.push(await listenOnLoopback({ allowed: 'controller', port: first.port }, new GrpcEndpoint({ providers: [adapter] })))
  expect((await channel.request(heartbeat, 1_000)).kind).toBe('answered')
})

test('the controller of this process is called directly', async () => {
  const local = new FakeController()
  local.reply = () => Promise.resolve({ kind: 'answered', body: heartbeatResponse })
  const channel = makeChannel([], local)
  channel.setLeader(ownId)
  expect(await channel.request(heartbeat, 1_000)).toEqual({ kind: 'answered', body: heartbeatResponse })
  expect(local.requests[0]).toBe(heartbeat)
  local.reply = () => new Promise(() => {})
  expect(await channel.request(heartbeat, 20)).toEqual({ kind: 'unreachable' })
})

test('bytes that are no request are refused, as is an API that nobody knows', async () => {
  const { service, port } = await startController()
  const { client, close } = dial({ host: '127.0.0.1', port }, { scheduler: systemScheduler, credentialsOf: plaintext }, () => {})
  const headers = headersFor({ clusterId: 'cluster', nodeId: ownId })
  const wrongApi = encodeProto(encodeWireRequest, {
    apiKey: 9_999, apiVersion: 0, payload: Buffer.alloc(0), principal: '', clientId: '', clientHost: '', listener: '',
  })
  for (const bytes of [Buffer.from('garbage'), wrongApi]) {
    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest<Buffer, Buffer>(REQUEST_PATH, passThrough, passThrough, bytes, headers, resolve)
    })
    expect(error?.code).toBe(status.INVALID_ARGUMENT)
  }
  close()
  expect(service.requests).toEqual([])
})

describe('a session', () => {
  test('exists at the controller from opening to closing', async () => {
    const { service, port } = await startController()
    const channel = makeChannel([[controllerId, port]])
    channel.setLeader(controllerId)
    let closed = 0
    const session = channel.openSession({ brokerId: ownId, brokerEpoch: 42 }, () => closed++)
    await until(() => service.sessions.length === 1)
    session.close()
    await until(() => service.sessions.length === 2)
    expect(service.sessions).toEqual(['opened 2 42', 'lost 2 42'])
    await quiet(30)
    expect(closed).toBe(0)
  })

  test('tells when the controller is gone, refuses, or there is none', async () => {
    const { service, port, stop } = await startController()
    const time = new StandingTime()
    const channel = makeChannel([[controllerId, port]], null, time.scheduler)
    let closed = 0
    channel.openSession({ brokerId: ownId, brokerEpoch: 1 }, () => closed++)
    await time.until(() => closed === 1)
    channel.setLeader(controllerId)
    channel.openSession({ brokerId: ownId, brokerEpoch: 1 }, () => closed++)
    await time.until(() => service.sessions.length === 1)
    await stop()
    await time.until(() => closed === 2)
    channel.openSession({ brokerId: ownId, brokerEpoch: 1 }, () => closed++)
    await time.until(() => closed === 3)
  })

  test('to a former leader is closed when another one leads, but not while there is none', async () => {
    const old = await startController()
    const next = await startController()
    const channel = makeChannel([[controllerId, old.port], [otherId, next.port]])
    channel.setLeader(controllerId)
    let closed = 0
    channel.openSession({ brokerId: ownId, brokerEpoch: 5 }, () => closed++)
    await until(() => old.service.sessions.length === 1)
    channel.setLeader(null)
    await quiet(30)
    expect(closed).toBe(0)
    channel.setLeader(otherId)
    expect(closed).toBe(1)
    await until(() => old.service.sessions.length === 2)
  })

  test('with the controller of this process works alike', () => {
    const local = new FakeController()
    const channel = makeChannel([], local)
    channel.setLeader(ownId)
    let closed = 0
    channel.openSession({ brokerId: ownId, brokerEpoch: 5 }, () => closed++).close()
    channel.openSession({ brokerId: ownId, brokerEpoch: 6 }, () => closed++)
    channel.setLeader(otherId)
    expect(local.sessions).toEqual(['opened 2 5', 'lost 2 5', 'opened 2 6', 'lost 2 6'])
    expect(closed).toBe(1)
  })
})

describe('a connection that was cut without a word', () => {
  test('ends its requests and its session soon; the next ones are dialed anew', async () => {
    const { service, port } = await startController()
    const proxy = await CuttingProxy.to(port)
    running.push(proxy)
    const channel = makeChannel([[controllerId, proxy.port]])
    channel.setLeader(controllerId)
    let closed = 0
    channel.openSession({ brokerId: ownId, brokerEpoch: 42 }, () => closed++)
    const unanswered = channel.request(heartbeat, 60_000)
    await until(() => service.requests.length === 1 && service.sessions.length === 1)
    proxy.cut()
    expect(await until(() => closed === 1)).toBeLessThan(SILENCE_MS_MAX + 1_000)
    expect(await unanswered).toEqual({ kind: 'unreachable' })
    service.reply = () => Promise.resolve({ kind: 'answered', body: heartbeatResponse })
    expect(await channel.request(heartbeat, 1_000)).toEqual({ kind: 'answered', body: heartbeatResponse })
  }, 20_000)

  test('is no sign of life when the broker has opened another session', async () => {
    const { service, port } = await startController()
    const proxy = await CuttingProxy.to(port)
    running.push(proxy)
    const session = { brokerId: ownId, brokerEpoch: 42 }
    const channel = makeChannel([[controllerId, proxy.port]])
    channel.setLeader(controllerId)
    channel.openSession(session, () => {})
    await until(() => service.sessions.length === 1)
    proxy.cut()
    channel.openSession(session, () => {})
    await until(() => service.sessions.length === 3)
    expect(service.sessions).toEqual(['opened 2 42', 'opened 2 42', 'lost 2 42'])
  })
})
