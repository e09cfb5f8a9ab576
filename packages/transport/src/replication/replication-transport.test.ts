import { silentLogger, systemScheduler } from '@kavka/kernel'
import type { Scheduler } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Uuid } from '@kavka/protocol'
import { ZERO_UUID } from '@kavka/protocol'
import type {
  FollowerFrame, FollowerHello, FollowerStream, LeaderFrame, LeaderStream, LeaderStreamEvents,
} from '@kavka/replication'
import { SILENCE_MS_MAX } from '../connection-watch.ts'
import { plaintext } from '../grpc-client.ts'
import { GrpcEndpoint } from '../grpc-endpoint.ts'
import type { AllowedServices } from '../grpc-endpoint.ts'
import { listenOnLoopback } from '../testing/loopback-listener.ts'
import type { LoopbackListener } from '../testing/loopback-listener.ts'
import { CuttingProxy } from '../testing/cutting-proxy.ts'
import { StandingTime } from '../testing/standing-time.ts'
import { quiet, until } from '../testing/until.ts'
import { GrpcReplicationTransport } from './grpc-replication-transport.ts'
import { LEADER_STREAM_UNSENT_BYTES_MAX } from './leader-stream.ts'

const deps = { scheduler: systemScheduler, logger: silentLogger, credentialsOf: plaintext }
const leaderId = 1 as NodeId
const hello: FollowerHello = { clusterId: 'cluster', followerId: 2 as NodeId, followerBrokerEpoch: 77, leaderId }

interface Accepted {
  readonly hello: FollowerHello
  readonly stream: LeaderStream
  readonly frames: FollowerFrame[]
  drained: number
  closed: number
}

interface Opened {
  readonly stream: FollowerStream
  readonly frames: LeaderFrame[]
  readonly closed: string[]
}

const listeners: LoopbackListener[] = []
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close()
})

async function startLeader(allowed: AllowedServices = 'replication', clusterId = 'cluster'): Promise<{ port: number; accepted: Accepted[] }> {
  const leader = new GrpcReplicationTransport({ clusterId, nodeId: leaderId }, deps)
  const accepted: Accepted[] = []
  leader.onFollower((from, stream): LeaderStreamEvents => {
    const follower: Accepted = { hello: from, stream, frames: [], drained: 0, closed: 0 }
    accepted.push(follower)
    return {
      frame: (frame) => void follower.frames.push(frame),
      drained: () => void follower.drained++,
      closed: () => void follower.closed++,
    }
  })
  const listener = await listenOnLoopback({ allowed }, new GrpcEndpoint({ providers: [leader] }))
  listeners.push(listener)
  return { port: listener.port, accepted }
}

function openStream(port: number, greeting: FollowerHello = hello, scheduler: Scheduler = systemScheduler): Opened {
  const follower = new GrpcReplicationTransport({ clusterId: greeting.clusterId, nodeId: greeting.followerId }, { ...deps, scheduler })
  const frames: LeaderFrame[] = []
  const closed: string[] = []
  const stream = follower.openStream({ id: greeting.leaderId, host: '127.0.0.1', port }, greeting, {
    frame: (frame) => void frames.push(kept(frame)),
    closed: (reason) => void closed.push(reason),
  })
  return { stream, frames, closed }
}

/** Records are lent for the turn. */
function kept({ partitions }: LeaderFrame): LeaderFrame {
  return { partitions: partitions.map((entry) => ({ ...entry, records: entry.records.map((piece) => Buffer.from(piece)) })) }
}

function leaderFrame(...records: Buffer[]): LeaderFrame {
  return {
    partitions: [
      {
        topicId: ZERO_UUID, partition: 3, leaderEpoch: 4 as LeaderEpoch, errorCode: 0, baseOffset: 5, highWatermark: 6, logStartOffset: 0,
        logEndOffset: 9, divergingEpoch: null, records,
      },
    ],
  }
}

const followerFrame: FollowerFrame = { creditFrames: 2, positions: [], removed: [{ topicId: 'AAECAwQFBgcICQoLDA0ODw' as Uuid, partition: 1 }] }

async function connect(): Promise<{ follower: Opened; leader: Accepted }> {
  const { port, accepted } = await startLeader()
  const follower = openStream(port)
  follower.stream.send(followerFrame)
  await until(() => accepted[0]?.frames.length === 1)
  return { follower, leader: accepted[0]! }
}

test('the leader learns who follows and hears what it says; frames go both ways in order', async () => {
  const { follower, leader } = await connect()
  expect(leader.hello).toEqual(hello)
  expect(leader.frames).toEqual([followerFrame])
  for (let i = 0; i < 100; i++) leader.stream.send(leaderFrame(Buffer.from(`batch ${i}`)))
  await until(() => follower.frames.length === 100)
  expect(follower.frames.map((frame) => String(frame.partitions[0]?.records[0]))).toEqual(Array.from({ length: 100 }, (_, i) => `batch ${i}`))
  follower.stream.close()
  await until(() => leader.closed === 1)
  await quiet(30)
  expect(follower.closed).toEqual([])
  expect(leader.closed).toBe(1)
})

test('large frames made of many pieces arrive whole', async () => {
  const { follower, leader } = await connect()
  const pieces = Array.from({ length: 64 }, (_, i) => Buffer.alloc(64 * 1024, i))
  leader.stream.send(leaderFrame(...pieces))
  await until(() => follower.frames.length === 1)
  expect(follower.frames[0]?.partitions[0]?.records[0]?.equals(Buffer.concat(pieces))).toBe(true)
  follower.stream.close()
})

test('send says when to stop, and drained when to go on', async () => {
  const { follower, leader } = await connect()
  const frame = leaderFrame(Buffer.alloc(1024 * 1024))
  let sent = 1
  while (leader.stream.send(frame)) sent++
  expect(sent * 1024 * 1024).toBeGreaterThanOrEqual(LEADER_STREAM_UNSENT_BYTES_MAX)
  expect(sent * 1024 * 1024).toBeLessThan(2 * LEADER_STREAM_UNSENT_BYTES_MAX)
  expect(leader.drained).toBe(0)
  await until(() => leader.drained === 1)
  expect(leader.stream.send(leaderFrame(Buffer.alloc(1)))).toBe(true)
  await until(() => follower.frames.length === sent + 1)
  follower.stream.close()
})

test('the leader closes with a reason', async () => {
  const { follower, leader } = await connect()
  leader.stream.close('stale broker epoch')
  await until(() => follower.closed.length === 1)
  expect(follower.closed[0]).toContain('stale broker epoch')
  expect(leader.closed).toBe(1)
  expect(leader.stream.send(leaderFrame())).toBe(false)
  follower.stream.send(followerFrame)
  follower.stream.close()
})

test('a leader that goes away closes the stream, and the port then refuses at once', async () => {
  const { port } = await startLeader()
  const time = new StandingTime()
  const follower = openStream(port, hello, time.scheduler)
  await quiet(50)
  await listeners.pop()?.close()
  await time.until(() => follower.closed.length === 1)
  const again = openStream(port, hello, time.scheduler)
  await time.until(() => again.closed.length === 1)
  expect(again.closed[0]).toContain('ECONNREFUSED')
})

test.each([
  ['another cluster', { ...hello, clusterId: 'other' }, 'cluster id other is not cluster'],
  ['another leader', { ...hello, leaderId: 9 as NodeId }, 'this is node 1, not 9'],
])('a follower that means %s is refused', async (_case, greeting, reason) => {
  const { port, accepted } = await startLeader()
  const follower = openStream(port, greeting)
  await until(() => follower.closed.length === 1)
  expect(follower.closed[0]).toContain(reason)
  expect(accepted).toEqual([])
})

test('a cluster id may be any text', async () => {
  const { port, accepted } = await startLeader('replication', 'čáp %\n"')
  openStream(port, { ...hello, clusterId: 'čáp %\n"' }).stream.send(followerFrame)
  await until(() => accepted[0]?.frames.length === 1)
  expect(accepted[0]?.hello.clusterId).toBe('čáp %\n"')
})

test('a controller listener does not replicate', async () => {
  const { port, accepted } = await startLeader('controller')
  const follower = openStream(port)
  await until(() => follower.closed.length === 1)
  expect(follower.closed[0]).toContain('UNIMPLEMENTED')
  expect(accepted).toEqual([])
})

test('a stream that was cut without a word is over for the follower soon', async () => {
  const { port } = await startLeader()
  const proxy = await CuttingProxy.to(port)
  try {
    const { stream, closed } = openStream(proxy.port)
    await quiet(SILENCE_MS_MAX + 1_000)
    expect(closed).toEqual([])
    proxy.cut()
    expect(await until(() => closed.length === 1)).toBeLessThan(SILENCE_MS_MAX + 1_000)
    expect(closed).toEqual([`nothing heard for ${SILENCE_MS_MAX} ms`])
    stream.close()
  } finally {
    proxy.close()
  }
}, 20_000)
