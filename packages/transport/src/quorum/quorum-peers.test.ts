import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import type { LivenessProbe, RaftMessage } from '@kavka/controller'
import { silentLogger, systemScheduler } from '@kavka/kernel'
import type { Scheduler } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import { freePorts } from '@kavka/testkit'
import { SILENCE_MS_MAX } from '../connection-watch.ts'
import { CONNECT_TIMEOUT_MS, plaintext } from '../grpc-client.ts'
import type { NodeAddress } from '../node-address.ts'
import { GrpcEndpoint } from '../grpc-endpoint.ts'
import type { AllowedServices } from '../grpc-endpoint.ts'
import { TcpLivenessProbe } from '../liveness-probe.ts'
import { listenOnLoopback } from '../testing/loopback-listener.ts'
import type { LoopbackListener } from '../testing/loopback-listener.ts'
import { CountedProbe } from '../testing/counted-probe.ts'
import { CuttingProxy } from '../testing/cutting-proxy.ts'
import { StandingTime } from '../testing/standing-time.ts'
import { quiet, until } from '../testing/until.ts'
import { GrpcQuorumPeers } from './grpc-quorum-peers.ts'
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, REFUSED_BACKOFF_MS_MAX } from './peer-link.ts'

const tcpProbe = new TcpLivenessProbe({}, { scheduler: systemScheduler })

interface Node {
  readonly id: NodeId
  readonly peers: GrpcQuorumPeers
  readonly received: RaftMessage[]
  readonly reachable: NodeId[]
  readonly unreachable: NodeId[]
}

const running: { stop(): void | Promise<void> }[] = []
afterEach(async () => {
  for (const each of running.splice(0)) await each.stop()
})

function makeNode(id: number, voters: ReadonlyMap<NodeId, NodeAddress>, clusterId = 'cluster', probe: LivenessProbe = tcpProbe, scheduler: Scheduler = systemScheduler): Node {
  const node = { id: id as NodeId, received: [] as RaftMessage[], reachable: [] as NodeId[], unreachable: [] as NodeId[] }
  const peers = new GrpcQuorumPeers(
    { clusterId, nodeId: node.id, voters },
    { scheduler, logger: silentLogger, probe, credentialsOf: plaintext },
    {
      receive: (message) => void node.received.push(message),
      peerReachable: (peer) => void node.reachable.push(peer),
      peerUnreachable: (peer) => void node.unreachable.push(peer),
    },
  )
  running.push(peers)
  return { ...node, peers }
}

async function listen(node: Node, port = 0, allowed: AllowedServices = 'controller'): Promise<LoopbackListener> {
  const listener = await listenOnLoopback({ allowed, port }, new GrpcEndpoint({ providers: [node.peers] }))
  running.push({ stop: () => listener.close() })
  return listener
}

const at = (port: number): NodeAddress => ({ host: '127.0.0.1', port })
const voterMap = (...entries: [number, number][]): ReadonlyMap<NodeId, NodeAddress> =>
  new Map(entries.map(([id, port]) => [id as NodeId, at(port)]))

function envelope(from: Node, to: Node): Pick<RaftMessage, 'clusterId' | 'from' | 'to' | 'epoch'> {
  return { clusterId: 'cluster', from: from.id, to: to.id, epoch: 1 as LeaderEpoch }
}

function voteRequest(from: Node, to: Node): RaftMessage {
  return { ...envelope(from, to), kind: 'vote-request', phase: 'vote', lastEpoch: 0 as LeaderEpoch, logEndOffset: 5 as Offset }
}

function voteResponse(from: Node, to: Node): RaftMessage {
  return { ...envelope(from, to), kind: 'vote-response', phase: 'vote', granted: true, leaderId: null }
}

/** A voter with a listener and a node that knows it. */
async function pair(): Promise<{ voter: Node; node: Node; listener: LoopbackListener }> {
  const voter = makeNode(1, new Map())
  const listener = await listen(voter)
  const node = makeNode(2, voterMap([1, listener.port]))
  node.peers.start()
  await until(() => node.reachable.length === 1)
  return { voter, node, listener }
}

test('requests reach a voter, responses come back on the same stream', async () => {
  const { voter, node } = await pair()
  node.peers.send(voter.id, voteRequest(node, voter))
  await until(() => voter.received.length === 1)
  expect(voter.received).toEqual([voteRequest(node, voter)])
  voter.peers.send(node.id, voteResponse(voter, node))
  await until(() => node.received.length === 1)
  expect(node.received).toEqual([voteResponse(voter, node)])
  expect(node.peers.isConnected(voter.id)).toBe(true)
})

test('what is sent while the first connection is made is not lost', async () => {
  const voter = makeNode(1, new Map())
  const { port } = await listen(voter)
  const node = makeNode(2, voterMap([1, port]))
  node.peers.start()
  node.peers.send(voter.id, voteRequest(node, voter))
  await until(() => voter.received.length === 1)
  expect(node.peers.droppedMessages).toBe(0)
})

test('messages to those who are away, or whom nobody knows, are dropped', async () => {
  const { voter, node } = await pair()
  const stranger = { ...node, id: 7 as NodeId }
  node.peers.send(stranger.id, voteRequest(node, stranger))
  voter.peers.send(stranger.id, voteResponse(voter, stranger))
  expect(node.peers.droppedMessages).toBe(1)
  expect(voter.peers.droppedMessages).toBe(1)
})

test('a voter whose port refuses is reported once, and once again after it was there', async () => {
  const [port] = (await freePorts(1)) as [number]
  const time = new StandingTime()
  const probe = new CountedProbe(tcpProbe)
  const node = makeNode(2, voterMap([1, port]), 'cluster', probe, time.scheduler)
  node.peers.start()
  await time.until(() => node.unreachable.length === 1)
  await time.passUntil(() => probe.answered >= 6)
  await time.until(() => probe.isIdle)
  expect(node.unreachable).toEqual([1])

  const voter = makeNode(1, new Map())
  const listener = await listen(voter, port)
  await time.pass(REFUSED_BACKOFF_MS_MAX)
  await time.until(() => node.reachable.length === 1)
  await listener.close()
  await time.until(() => node.unreachable.length === 2)
  expect(node.reachable).toEqual([1])
})

test('a voter that closed the stream but still listens is not reported', async () => {
  const voter = makeNode(1, new Map())
  const endpoint = new GrpcEndpoint({ providers: [voter.peers] })
  const listener = await listenOnLoopback({ allowed: 'controller' }, endpoint)
  running.push({ stop: () => listener.close() })
  const node = makeNode(2, voterMap([1, listener.port]))
  node.peers.start()
  await until(() => node.reachable.length === 1)
  endpoint.close()
  await until(() => !node.peers.isConnected(voter.id))
  await quiet(200)
  expect(node.unreachable).toEqual([])
})

test('silence is no death: a port that accepts and says nothing is not reported, nor is the connection forgotten', async () => {
  const accepted: Socket[] = []
  const silent: Server = createServer((socket) => void accepted.push(socket.on('error', () => {}).resume()))
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve)
  })
  running.push({ stop: () => void silent.close() })
  const node = makeNode(2, voterMap([1, (silent.address() as { port: number }).port]))
  node.peers.start()
  await quiet(300)
  expect(node.unreachable).toEqual([])
  expect(node.reachable).toEqual([])
  expect(CONNECT_TIMEOUT_MS).toBeGreaterThan(300)
  // One to find out whether the machine is there, one that stays.
  expect(accepted.map((socket) => socket.destroyed)).toEqual([true, false])
  node.peers.stop()
  await until(() => accepted.every((socket) => socket.destroyed))
})

test('a node that comes back is dialed as soon as it dials', async () => {
  const [port] = (await freePorts(1)) as [number]
  const time = new StandingTime()
  const probe = new CountedProbe(tcpProbe)
  const own = makeNode(2, voterMap([1, port]), 'cluster', probe, time.scheduler)
  const ownListener = await listen(own)
  own.peers.start()
  await time.until(() => own.unreachable.length === 1 && probe.isIdle)
  const asked = probe.asked
  const peer = makeNode(1, voterMap([2, ownListener.port]))
  await listen(peer, port)
  peer.peers.start()
  // Its own timer cannot have passed: the other's call has brought it about.
  await time.until(() => own.reachable.length === 1)
  expect(probe.asked).toBe(asked)
})

test('another cluster is refused and tried again with patience', async () => {
  const voter = makeNode(1, new Map(), 'other cluster')
  const { port } = await listen(voter)
  const time = new StandingTime()
  const probe = new CountedProbe(tcpProbe)
  const node = makeNode(2, voterMap([1, port]), 'cluster', probe, time.scheduler)
  node.peers.start()
  await time.until(() => probe.answered === 1)
  // One call an attempt, and one attempt a pause: of 20, 40, 80 … ms.
  for (let attempts = 2, pauseMs = BACKOFF_MS_MIN; attempts <= 8; attempts++, pauseMs = Math.min(2 * pauseMs, BACKOFF_MS_MAX)) {
    await time.pass(pauseMs - 1)
    expect(probe.asked).toBe(attempts - 1)
    await time.pass(1)
    await time.until(() => probe.answered === attempts)
  }
  expect(node.reachable).toEqual([])
  expect(node.unreachable).toEqual([])
})

test('an inter-broker listener does not speak for the quorum', async () => {
  const voter = makeNode(1, new Map())
  const { port } = await listen(voter, 0, 'replication')
  const node = makeNode(2, voterMap([1, port]))
  node.peers.start()
  await quiet(200)
  expect(node.reachable).toEqual([])
})

test('who speaks for another node is cut off and left alone for a while', async () => {
  const { voter, node } = await pair()
  node.peers.send(voter.id, { ...voteRequest(node, voter), from: 5 as NodeId })
  await until(() => !node.peers.isConnected(voter.id))
  expect(voter.received).toEqual([])
})

test('after stop nothing is received, dialed or reported', async () => {
  const { voter, node, listener } = await pair()
  node.peers.stop()
  await listener.close()
  await quiet(200)
  expect(node.unreachable).toEqual([])
  node.peers.send(voter.id, voteRequest(node, voter))
  expect(node.peers.droppedMessages).toBe(1)
})

test('a stream that was cut without a word is given up and opened anew, and nobody is called dead', async () => {
  const voter = makeNode(1, new Map())
  const { port } = await listen(voter)
  const proxy = await CuttingProxy.to(port)
  running.push(proxy)
  const time = new StandingTime()
  const node = makeNode(2, voterMap([1, proxy.port]), 'cluster', tcpProbe, time.scheduler)
  node.peers.start()
  await time.until(() => node.reachable.length === 1)
  proxy.cut()
  await time.passUntil(() => !node.peers.isConnected(voter.id))
  expect(time.scheduler.monotonicMs()).toBeGreaterThanOrEqual(SILENCE_MS_MAX)
  // Given up is enough: the next connection waits for no timer.
  await time.until(() => node.reachable.length === 2)
  node.peers.send(voter.id, voteRequest(node, voter))
  await time.until(() => voter.received.length === 1)
  expect(node.unreachable).toEqual([])
})

test('a stream with nothing to say stays open', async () => {
  const { node } = await pair()
  await quiet(SILENCE_MS_MAX + 1_500)
  expect(node.reachable).toEqual([1])
}, 20_000)
