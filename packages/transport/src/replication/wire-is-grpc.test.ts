/** The follower's framing is our own, the wire is gRPC's: here grpc-js serves it. And what reaches the leader's framing that is none. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { credentials as grpcCredentials, Server, ServerCredentials, status } from '@grpc/grpc-js'
import type { ChannelCredentials, Metadata, ServerDuplexStream } from '@grpc/grpc-js'
import { silentLogger, systemScheduler } from '@kavka/kernel'
import type { LeaderEpoch, NodeId } from '@kavka/protocol'
import { ZERO_UUID } from '@kavka/protocol'
import type { FollowerFrame, LeaderFrame } from '@kavka/replication'
import { plaintext } from '../grpc-client.ts'
import type { CredentialsOf } from '../grpc-client.ts'
import { GrpcEndpoint } from '../grpc-endpoint.ts'
import { SINGLE_STREAM_ANNOUNCEMENT } from '../http2/announcement.ts'
import { CONNECTION_PREFACE, Flag, frame, FrameType, settingsFrame } from '../http2/frame-layout.ts'
import { encodeHeaders } from '../http2/header-block.ts'
import { passThrough } from '../service-provider.ts'
import { listenOnLoopback } from '../testing/loopback-listener.ts'
import { until } from '../testing/until.ts'
import { FETCH_PATH } from './fetch-call.ts'
import { decodeFollowerFrame, encodeLeaderFrame } from './frame-codec.ts'
import { GrpcReplicationTransport } from './grpc-replication-transport.ts'

type Call = ServerDuplexStream<Buffer, Buffer>

const deps = { scheduler: systemScheduler, logger: silentLogger, credentialsOf: plaintext }
const leaderId = 1 as NodeId
const hello = { clusterId: 'cluster', followerId: 2 as NodeId, followerBrokerEpoch: 77, leaderId }

function openStream(port: number, credentialsOf: CredentialsOf = plaintext) {
  const transport = new GrpcReplicationTransport({ clusterId: 'cluster', nodeId: hello.followerId }, { ...deps, credentialsOf })
  const heard: string[] = []
  const stream = transport.openStream({ id: leaderId, host: '127.0.0.1', port }, hello, {
    frame: ({ partitions }) => void heard.push(`${partitions[0]?.records.reduce((sum, { length }) => sum + length, 0)} bytes`),
    closed: (reason) => void heard.push(reason),
  })
  return { stream, heard }
}

function leaderBytes(recordBytes: number): Buffer {
  const leaderFrame: LeaderFrame = {
    partitions: [
      {
        topicId: ZERO_UUID, partition: 0, leaderEpoch: 0 as LeaderEpoch, errorCode: 0, baseOffset: 0, highWatermark: 0, logStartOffset: 0,
        logEndOffset: 0, divergingEpoch: null, records: [Buffer.alloc(recordBytes)],
      },
    ],
  }
  const { head, body } = encodeLeaderFrame(leaderFrame, 0)
  return Buffer.concat([head, ...body])
}

async function grpcServer(fetch: (call: Call) => void): Promise<{ readonly port: number; close(): void }> {
  const server = new Server()
  const method = {
    path: FETCH_PATH, requestStream: true, responseStream: true, requestSerialize: passThrough, requestDeserialize: passThrough,
    responseSerialize: passThrough, responseDeserialize: passThrough,
  }
  server.addService({ fetch: method }, { fetch })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)))
  })
  return { port, close: () => server.forceShutdown() }
}

/** Credentials that secure nothing, but make the dialer go the way of TLS: the socket is the connector's. */
const handedOver: CredentialsOf = () => {
  const base = grpcCredentials.createInsecure()
  const through = Object.create(base) as ChannelCredentials
  through._isSecure = () => true
  return through
}

test.each([['plain', plaintext], ['through a connector', handedOver]])('grpc-js understands the follower, and the follower grpc-js: %s', async (_way, credentialsOf) => {
  const received: FollowerFrame[] = []
  let headers: Metadata | null = null
  const server = await grpcServer((call) => {
    headers = call.metadata
    call.sendMetadata(call.metadata)
    call.on('data', (bytes: Buffer) => {
      received.push(decodeFollowerFrame(bytes))
      call.write(leaderBytes(received.length === 1 ? 5 : 700_000))
    })
  })
  const { stream, heard } = openStream(server.port, credentialsOf)
  const first: FollowerFrame = { creditFrames: 1, positions: [], removed: [] }
  // Larger than what HTTP/2 lets out before the server has spoken.
  const large: FollowerFrame = { ...first, removed: Array.from({ length: 10_000 }, (_, partition) => ({ topicId: ZERO_UUID, partition })) }
  stream.send(first)
  stream.send(large)
  await until(() => heard.length === 2)
  expect(received).toEqual([first, large])
  expect(heard).toEqual(['5 bytes', '700000 bytes'])
  expect(headers!.getMap()).toMatchObject({ 'kavka-cluster-id': 'cluster', 'kavka-node-id': '2', 'kavka-leader-id': '1', 'kavka-broker-epoch': '77' })
  stream.close()
  server.close()
})

test('the status with which grpc-js ends a call is the reason', async () => {
  const server = await grpcServer((call) => void call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'vody je málo: 100 %' }))
  const { heard } = openStream(server.port)
  await until(() => heard.length === 1)
  expect(heard).toEqual(['8 RESOURCE_EXHAUSTED: vody je málo: 100 %'])
  server.close()
})

const announced = Buffer.concat([CONNECTION_PREFACE, settingsFrame([SINGLE_STREAM_ANNOUNCEMENT])])
const request = (fields: Record<string, string>): Buffer =>
  frame({ type: FrameType.headers, flags: Flag.endHeaders, streamId: 1 }, encodeHeaders(new Map(Object.entries(fields))))

test.each([
  ['nonsense', Buffer.alloc(100, 0xff)],
  ['another method', request({ ':path': '/other' })],
  ['no identity', request({ ':path': FETCH_PATH })],
])('a stranger is let go: %s', async (_name, bytes) => {
  const leader = new GrpcReplicationTransport({ clusterId: 'cluster', nodeId: leaderId }, deps)
  const endpoint = new GrpcEndpoint({ providers: [leader] })
  const listener = await listenOnLoopback({ allowed: 'replication' }, endpoint)
  const socket = await dialRaw(listener.port)
  socket.write(announced)
  await until(() => endpoint.connectionCount === 1)
  socket.write(bytes)
  await until(() => endpoint.connectionCount === 0)
  await listener.close()
})

test('an announcement in pieces is one', async () => {
  const accepted: number[] = []
  const leader = new GrpcReplicationTransport({ clusterId: 'cluster', nodeId: leaderId }, deps)
  leader.onFollower(({ followerBrokerEpoch }) => {
    accepted.push(followerBrokerEpoch)
    return { frame: () => {}, drained: () => {}, closed: () => void accepted.push(-1) }
  })
  const listener = await listenOnLoopback({ allowed: 'replication' }, new GrpcEndpoint({ providers: [leader] }))
  const socket = await dialRaw(listener.port)
  const identity = { 'kavka-protocol': '1', 'kavka-cluster-id': 'cluster', 'kavka-node-id': '2', 'kavka-broker-epoch': '5', 'kavka-leader-id': '1' }
  const bytes = Buffer.concat([announced, request({ ':path': FETCH_PATH, ...identity })])
  for (let at = 0; at < bytes.length; at += 9) {
    socket.write(bytes.subarray(at, at + 9))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await until(() => accepted.length === 1)
  socket.destroy()
  await until(() => accepted.length === 2)
  expect(accepted).toEqual([5, -1])
  await listener.close()
})

async function dialRaw(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => {})
  socket.resume()
  await new Promise((resolve) => {
    socket.once('connect', resolve)
  })
  return socket
}
