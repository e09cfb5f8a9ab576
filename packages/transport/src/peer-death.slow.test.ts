import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { LivenessProbe, RaftMessage } from '@kavka/controller'
import { silentLogger, systemScheduler } from '@kavka/kernel'
import type { Scheduler } from '@kavka/kernel'
import type { LeaderEpoch, NodeId, Offset } from '@kavka/protocol'
import { SILENCE_MS_MAX } from './connection-watch.ts'
import { plaintext } from './grpc-client.ts'
import { TcpLivenessProbe } from './liveness-probe.ts'
import { GrpcQuorumPeers } from './quorum/grpc-quorum-peers.ts'
import { REFUSED_BACKOFF_MS_MAX } from './quorum/peer-link.ts'
import { CountedProbe } from './testing/counted-probe.ts'
import { StandingTime } from './testing/standing-time.ts'
import { quiet, until } from './testing/until.ts'

const tcpProbe = new TcpLivenessProbe({}, { scheduler: systemScheduler })
const voterId = 1 as NodeId
const ownId = 2 as NodeId
const address = (port: number): { host: string; port: number } => ({ host: '127.0.0.1', port })

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

async function startVoter(port = 0): Promise<{ child: ChildProcess; port: number }> {
  const flags = ['--conditions=@kavka/source', '--disable-warning=ExperimentalWarning']
  const child = spawn(process.execPath, [...flags, join(__dirname, 'testing/peer-process.ts'), String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanups.push(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return { child, port: Number(String(line).trim()) }
}

function watch(
  port: number,
  scheduler: Scheduler = systemScheduler,
  probe: LivenessProbe = tcpProbe,
): { peers: GrpcQuorumPeers; events: string[]; received: RaftMessage[] } {
  const events: string[] = []
  const received: RaftMessage[] = []
  const peers = new GrpcQuorumPeers(
    { clusterId: 'cluster', nodeId: ownId, voters: new Map([[voterId, address(port)]]) },
    { scheduler, logger: silentLogger, probe, credentialsOf: plaintext },
    {
      receive: (message) => void received.push(message),
      peerReachable: () => void events.push('reachable'),
      peerUnreachable: () => void events.push('unreachable'),
    },
  )
  cleanups.push(() => peers.stop())
  peers.start()
  return { peers, events, received }
}

const voteRequest: RaftMessage = {
  clusterId: 'cluster', from: ownId, to: voterId, epoch: 3 as LeaderEpoch, kind: 'vote-request', phase: 'vote',
  lastEpoch: 0 as LeaderEpoch, logEndOffset: 0 as Offset,
}

test('a voter killed with -9 is reported at once, and dialed again soon after its restart', async () => {
  const first = await startVoter()
  const time = new StandingTime()
  const probe = new CountedProbe(tcpProbe)
  const { peers, events, received } = watch(first.port, time.scheduler, probe)
  await time.until(() => events.length === 1)
  peers.send(voterId, voteRequest)
  await time.until(() => received.length === 1)

  first.child.kill('SIGKILL')
  await time.until(() => events.length === 2)
  await time.passUntil(() => probe.answered >= 8)
  await time.until(() => probe.isIdle)
  expect(events).toEqual(['reachable', 'unreachable'])

  await startVoter(first.port)
  await time.pass(REFUSED_BACKOFF_MS_MAX)
  await time.until(() => events.length === 3)
  expect(events).toEqual(['reachable', 'unreachable', 'reachable'])
  peers.send(voterId, voteRequest)
  await time.until(() => received.length === 2)
}, 20_000)

test('a voter that is stopped is silent, not dead, and talks again when it goes on', async () => {
  const { child, port } = await startVoter()
  const { peers, events, received } = watch(port)
  await until(() => events.length === 1)
  child.kill('SIGSTOP')
  peers.send(voterId, voteRequest)
  await quiet(1_800)
  expect(events).toEqual(['reachable'])
  expect(received).toEqual([])
  expect(peers.isConnected(voterId)).toBe(true)
  child.kill('SIGCONT')
  await until(() => received.length === 1)
  expect(events).toEqual(['reachable'])
}, 20_000)

test('one that is stopped for long loses its connection, and nobody is told that it is dead', async () => {
  const { child, port } = await startVoter()
  const { peers, events, received } = watch(port)
  await until(() => events.length === 1)
  child.kill('SIGSTOP')
  await until(() => !peers.isConnected(voterId), SILENCE_MS_MAX + 2_000)
  await quiet(2_000)
  expect(events).toEqual(['reachable'])
  child.kill('SIGCONT')
  expect(await until(() => events.length === 2, SILENCE_MS_MAX + 2_000)).toBeLessThan(SILENCE_MS_MAX + 1_500)
  expect(events).toEqual(['reachable', 'reachable'])
  peers.send(voterId, voteRequest)
  await until(() => received.length === 1)
}, 30_000)

test('a probe tells a listening process, a killed one and nobody apart', async () => {
  const { child, port } = await startVoter()
  const probe = new TcpLivenessProbe({}, { scheduler: systemScheduler })
  expect(await probe.probe(address(port))).toBe('answered')
  expect(await probe.probe({ host: 'localhost', port })).toBe('answered')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await probe.probe(address(port))).toBe('refused')
  expect(await probe.probe({ host: 'localhost', port })).toBe('refused')
  expect(await probe.probe({ host: 'no-such-host.invalid', port })).toBe('unknown')
}, 20_000)
