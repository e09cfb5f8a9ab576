/**
 * How fast the replication stream is between two processes: `node packages/transport/bench/stream.mjs [seconds]` (build first).
 * The parent is the leader and sends, the child is the follower and grants one frame back for each it got, four in flight.
 * Prints MB/s (10^6 bytes) and CPU seconds per GB of each side, then the round trip of frames of 1 KiB.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { silentLogger, systemScheduler } from '@kavka/kernel'
import { GrpcEndpoint, GrpcReplicationTransport, plaintext } from '../dist/index.js'
import { listenOnLoopback } from '../dist/testing/loopback-listener.js'

const IN_FLIGHT = 4
const WARM_UP_MS = 1_500
const deps = { scheduler: systemScheduler, logger: silentLogger, credentialsOf: plaintext }
const hello = { clusterId: 'bench', followerId: 2, followerBrokerEpoch: 1, leaderId: 1 }
const ack = { creditFrames: 1, positions: [], removed: [] }

function frameOf(bytes) {
  const pieces = Array.from({ length: Math.max(1, bytes / 16_384) }, () => Buffer.alloc(Math.min(bytes, 16_384), 7))
  return {
    partitions: [{
      topicId: 'AAECAwQFBgcICQoLDA0ODw', partition: 0, leaderEpoch: 1, errorCode: 0, baseOffset: 0, highWatermark: 0, logStartOffset: 0,
      logEndOffset: 0, divergingEpoch: null, records: pieces,
    }],
  }
}

function followerProcess(port) {
  const transport = new GrpcReplicationTransport({ clusterId: 'bench', nodeId: 2 }, deps)
  const stream = transport.openStream({ id: 1, host: '127.0.0.1', port }, hello, {
    frame: () => stream.send(ack),
    closed: () => process.exit(0),
  })
  stream.send({ ...ack, creditFrames: IN_FLIGHT })
  process.on('message', () => process.send({ cpu: process.cpuUsage() }))
}

const cpuSeconds = ({ user, system }) => (user + system) / 1e6
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

function askCpu(child) {
  return new Promise((resolve) => {
    child.once('message', ({ cpu }) => resolve(cpuSeconds(cpu)))
    child.send('cpu')
  })
}

async function withFollower(run) {
  const transport = new GrpcReplicationTransport({ clusterId: 'bench', nodeId: 1 }, deps)
  const leader = { stream: null, onCredit: () => {} }
  transport.onFollower((_hello, stream) => {
    leader.stream = stream
    return { frame: (frame) => leader.onCredit(frame.creditFrames), drained: () => {}, closed: () => {} }
  })
  const listener = await listenOnLoopback({ allowed: 'replication' }, new GrpcEndpoint({ providers: [transport] }))
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), 'follower', String(listener.port)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  await run(leader, child)
  await listener.close()
  if (child.exitCode === null) await once(child, 'exit')
}

async function throughput(bytes, milliseconds) {
  await withFollower(async (leader, child) => {
    const frame = frameOf(bytes)
    let sent = 0
    leader.onCredit = (credits) => {
      for (let i = 0; i < credits; i++, sent++) leader.stream.send(frame)
    }
    await sleep(WARM_UP_MS)
    const before = { sent, own: cpuSeconds(process.cpuUsage()), child: await askCpu(child), at: performance.now() }
    await sleep(milliseconds)
    const gigabytes = ((sent - before.sent) * bytes) / 1e9
    const seconds = (performance.now() - before.at) / 1000
    const own = (cpuSeconds(process.cpuUsage()) - before.own) / gigabytes
    const other = ((await askCpu(child)) - before.child) / gigabytes
    console.log(`${bytes / 1024} KiB: ${Math.round((gigabytes * 1000) / seconds)} MB/s, CPU s/GB leader ${own.toFixed(2)} + follower ${other.toFixed(2)}`)
  })
}

async function roundTrip(milliseconds) {
  await withFollower(async (leader) => {
    const frame = frameOf(1024)
    const samples = []
    let startedAt = 0
    let granted = 0
    leader.onCredit = () => {
      if (granted++ > 0) samples.push(performance.now() - startedAt)
      startedAt = performance.now()
      leader.stream.send(frame)
    }
    await sleep(WARM_UP_MS)
    samples.length = 0
    await sleep(milliseconds)
    samples.sort((a, b) => a - b)
    const microseconds = (share) => Math.round(samples[Math.floor(samples.length * share)] * 1000)
    console.log(`1 KiB round trip: p50 ${microseconds(0.5)} µs, p99 ${microseconds(0.99)} µs, ${samples.length} samples`)
    leader.onCredit = () => {}
  })
}

if (process.argv[2] === 'follower') followerProcess(Number(process.argv[3]))
else {
  const milliseconds = Number(process.argv[2] ?? 3) * 1000
  for (const bytes of [65_536, 262_144, 1_048_576]) await throughput(bytes, milliseconds)
  await roundTrip(milliseconds)
}
