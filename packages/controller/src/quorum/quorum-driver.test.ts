import type { NodeId } from '@kavka/protocol'
import { DriverCluster } from './testing/driver-cluster.ts'
import type { DriverNode } from './testing/driver-cluster.ts'

const ids = (...values: number[]): NodeId[] => values as NodeId[]
const bytes = (text: string): Uint8Array => Buffer.from(text)

async function startedCluster(options: Partial<ConstructorParameters<typeof DriverCluster>[0]> = {}): Promise<DriverCluster> {
  const cluster = new DriverCluster({ voterIds: ids(1, 2, 3), ...options })
  await cluster.start(1, 2, 3)
  await cluster.untilLed()
  return cluster
}

/** Resolves with the outcome while virtual time goes on. */
async function proposed(cluster: DriverCluster, node: DriverNode, text: string): Promise<unknown> {
  let outcome: unknown = null
  void node.driver.propose(bytes(text)).then((result) => (outcome = result))
  expect(await cluster.scheduler.runUntil(() => outcome !== null, 10_000)).toBe(true)
  return outcome
}

test('a fresh single node leads within milliseconds', async () => {
  const cluster = new DriverCluster({ voterIds: ids(1) })
  await cluster.start(1)
  expect(await cluster.untilLed()).toBeLessThan(10)
  expect(await proposed(cluster, cluster.node(1), 'hello')).toEqual({ ok: true, value: { offset: 1 } })
  expect(cluster.node(1).state.texts).toEqual(['hello'])
})

test('three fresh nodes elect a leader well under 300 ms', async () => {
  const cluster = new DriverCluster({ voterIds: ids(1, 2, 3) })
  await cluster.start(1, 2, 3)
  expect(await cluster.untilLed()).toBeLessThan(300)
  expect([...cluster.nodes.values()].map(({ driver }) => driver.state.leaderId)).toEqual(Array(3).fill(cluster.leader!.id))
})

test('a proposal is committed in one round trip and two writes, and applied everywhere', async () => {
  const cluster = await startedCluster()
  const startMs = cluster.scheduler.monotonicMs()
  expect(await proposed(cluster, cluster.leader!, 'a')).toMatchObject({ ok: true })
  // 0.2 ms each way, 2 ms a write; the leader's own write runs beside the follower's.
  expect(cluster.scheduler.monotonicMs() - startMs).toBeLessThan(3)
  await cluster.scheduler.advance(5)
  for (const { state } of cluster.nodes.values()) expect(state.texts).toEqual(['a'])
})

test('proposals are pipelined: many at once cost few writes', async () => {
  const cluster = await startedCluster()
  const leader = cluster.leader!
  const startMs = cluster.scheduler.monotonicMs()
  const texts = Array.from({ length: 200 }, (_, i) => `t${i}`)
  const outcomes = Promise.all(texts.map((text) => leader.driver.propose(bytes(text))))
  await cluster.scheduler.runUntil(() => leader.state.texts.length === 200)
  expect(cluster.scheduler.monotonicMs() - startMs).toBeLessThan(10)
  expect((await outcomes).every(({ ok }) => ok)).toBe(true)
  expect(leader.state.texts).toEqual(texts)
})

test('append tells the offsets at once and refuses another epoch', async () => {
  const cluster = await startedCluster()
  const { driver } = cluster.leader!
  const { epoch, logEndOffset } = driver.state
  const appended = driver.append(epoch, [bytes('x'), bytes('y')])
  expect(appended).toMatchObject({ ok: true, value: { baseOffset: logEndOffset, epoch } })
  expect(driver.append((epoch - 1) as typeof epoch, [bytes('z')])).toEqual({ ok: false, error: 'not-leader' })
  await cluster.scheduler.advance(20)
  expect(appended.ok && (await appended.value.committed)).toEqual({ ok: true, value: { offset: logEndOffset + 1 } })
})

test('a follower refuses proposals', async () => {
  const cluster = await startedCluster()
  const follower = [...cluster.nodes.values()].find((node) => node !== cluster.leader)!
  expect(await follower.driver.propose(bytes('no'))).toEqual({ ok: false, error: 'not-leader' })
})

test('uncommitted proposals are bounded', async () => {
  const cluster = await startedCluster({ pendingEntriesMax: 3 })
  const { driver } = cluster.leader!
  const { epoch } = driver.state
  expect(driver.append(epoch, [bytes('1'), bytes('2')]).ok).toBe(true)
  expect(driver.append(epoch, [bytes('3'), bytes('4')])).toEqual({ ok: false, error: 'too-many-pending' })
  expect(driver.append(epoch, [bytes('3')]).ok).toBe(true)
  await cluster.scheduler.advance(20)
  expect(driver.append(epoch, [bytes('4')]).ok).toBe(true)
})

test('after kill -9 of the leader another leads within 100 ms, and nothing committed is lost', async () => {
  const cluster = await startedCluster()
  const old = cluster.leader!
  await proposed(cluster, old, 'kept')
  cluster.kill(old.id, { reported: true })
  expect(await cluster.untilLed()).toBeLessThan(100)
  expect(cluster.leader!.state.texts).toEqual(['kept'])
  await proposed(cluster, cluster.leader!, 'after')
  await cluster.start(old.id)
  await cluster.untilLed()
  expect(cluster.node(old.id).state.texts).toEqual(['kept', 'after'])
})

test('a silent death of the leader is noticed by the fetch timeout', async () => {
  const cluster = await startedCluster()
  cluster.kill(cluster.leader!.id, { reported: false })
  const tookMs = await cluster.untilLed()
  expect(tookMs).toBeGreaterThan(1000)
  expect(tookMs).toBeLessThan(3500)
})

test('a leader that stops hands over at once', async () => {
  const cluster = await startedCluster()
  const old = cluster.leader!
  const stopped = old.driver.stop()
  await cluster.scheduler.advance(5)
  await stopped
  old.alive = false
  expect(await cluster.untilLed()).toBeLessThan(150)
  expect(await old.driver.propose(bytes('no'))).toEqual({ ok: false, error: 'not-leader' })
})

test('all killed at once: what was acknowledged is there after the restart', async () => {
  const cluster = await startedCluster()
  const leader = cluster.leader!
  const acknowledged: string[] = []
  for (let i = 0; i < 20; i++) {
    void leader.driver.propose(bytes(`n${i}`)).then(({ ok }) => ok && acknowledged.push(`n${i}`))
    await cluster.scheduler.advance(0.7)
  }
  for (const id of [1, 2, 3]) cluster.kill(id, { reported: false })
  expect(acknowledged.length).toBeGreaterThan(0)
  await cluster.start(1, 2, 3)
  await cluster.untilLed()
  for (const { state } of cluster.nodes.values()) expect(state.texts).toEqual(expect.arrayContaining(acknowledged))
})

test('a deposed leader settles its pending proposals as not-leader, once', async () => {
  const cluster = await startedCluster()
  const old = cluster.leader!
  const others = [1, 2, 3].filter((id) => id !== old.id)
  cluster.network.partition([1, 2, 3], [others])
  const outcomes: unknown[] = []
  void old.driver.propose(bytes('lost')).then((outcome) => outcomes.push(outcome))
  await cluster.scheduler.advance(8000)
  expect(outcomes).toEqual([{ ok: false, error: 'not-leader' }])
  expect(old.driver.state.kind).not.toBe('leader')
  cluster.network.heal()
  await cluster.untilLed()
  expect(outcomes).toHaveLength(1)
  expect(old.state.texts).toEqual([])
})

test('a failed write is fatal: reported once, and nothing is sent after it', async () => {
  const cluster = await startedCluster()
  const broken = cluster.leader!
  broken.store.failNext('write', new Error('EIO'))
  const outcome = broken.driver.propose(bytes('lost'))
  await cluster.scheduler.advance(10)
  expect(broken.fatal).toEqual([new Error('EIO')])
  expect(await outcome).toEqual({ ok: false, error: 'not-leader' })
  const { sent } = cluster.network.counts
  for (const node of cluster.nodes.values()) if (node !== broken) node.alive = false
  await cluster.scheduler.advance(10_000)
  const sentByOthers = cluster.network.counts.sent - sent
  broken.driver.receive({ kind: 'begin-quorum-epoch', clusterId: 'test-cluster', from: 9 as NodeId, to: broken.id, epoch: 99 as never })
  await cluster.scheduler.advance(1000)
  expect(cluster.network.counts.sent - sent).toBe(sentByOthers)
  expect(broken.fatal).toHaveLength(1)
})

test('a node that throws while applying falls silent and says so', async () => {
  const cluster = await startedCluster()
  const leader = cluster.leader!
  leader.state.onCommitted = () => {
    throw new Error('a bug')
  }
  void leader.driver.propose(bytes('x'))
  await cluster.scheduler.advance(20)
  expect(leader.fatal).toEqual([new Error('a bug')])
})

test('snapshots are taken by size; a new observer and a node that was away load one', async () => {
  const cluster = await startedCluster({ snapshotAfterBytes: 100, logRetainedBytes: 0, snapshotPieceBytesMax: 50 })
  const away = [...cluster.nodes.values()].find((node) => node !== cluster.leader)!
  await proposed(cluster, cluster.leader!, 'before')
  await cluster.scheduler.advance(20)
  cluster.kill(away.id, { reported: true })
  for (let i = 0; i < 50; i++) await proposed(cluster, cluster.leader!, `some longer text ${i}`)
  await cluster.start(away.id, 4)
  await cluster.untilLed()
  const { texts } = cluster.leader!.state
  expect(texts).toHaveLength(51)
  for (const id of [away.id, 4]) {
    expect(cluster.node(id).state.texts).toEqual(texts)
    expect(cluster.node(id).state.snapshotsLoaded).toBe(1)
  }
  cluster.kill(4, { reported: false })
  await cluster.start(4)
  await cluster.untilLed()
  expect(cluster.node(4).state.texts).toEqual(texts)
})

test('snapshots are taken by time when there is something new', async () => {
  const cluster = await startedCluster({ snapshotAfterMs: 5000 })
  const hasSnapshot = (): boolean => cluster.leader!.store.content.has('raft/snapshot')
  await proposed(cluster, cluster.leader!, 'a')
  expect(hasSnapshot()).toBe(false)
  await cluster.scheduler.advance(6000)
  await proposed(cluster, cluster.leader!, 'b')
  await cluster.scheduler.advance(10)
  expect(hasSnapshot()).toBe(true)
})

test('the state tells the leader the progress of voters and observers', async () => {
  const cluster = await startedCluster()
  await cluster.start(4)
  await cluster.untilLed()
  await cluster.scheduler.advance(1000)
  const { state } = cluster.leader!.driver
  const wallMs = cluster.scheduler.wallMs()
  expect(state.voterIds).toEqual([1, 2, 3])
  expect(state.voters.map(({ nodeId, logEndOffset }) => [nodeId, logEndOffset])).toEqual([1, 2, 3].map((id) => [id, state.logEndOffset]))
  expect(state.observers.map(({ nodeId, logEndOffset }) => [nodeId, logEndOffset])).toEqual([[4, state.logEndOffset]])
  for (const { lastFetchMs, lastCaughtUpMs } of [...state.voters, ...state.observers]) {
    expect(wallMs - lastFetchMs).toBeLessThanOrEqual(501)
    expect(wallMs - lastCaughtUpMs).toBeLessThanOrEqual(501)
  }
})

test('the state of another cluster or node is refused, and damage is found', async () => {
  const cluster = await startedCluster()
  const node = cluster.node(1)
  cluster.kill(1, { reported: false })
  const foreign = new DriverCluster({ voterIds: ids(1, 2, 3), clusterId: 'other' })
  foreign.nodes.set(1, node)
  await expect(foreign.start(1)).rejects.toThrow('belongs to node 1 of cluster test-cluster')
  const content = new Map(node.store.content)
  content.get('raft/hard-state')![8]! ^= 1
  cluster.nodes.set(1, { ...node, store: node.store })
  await expect(cluster.start(1)).rejects.toThrow('damaged at raft/hard-state')
})

test('messages of another cluster are dropped', async () => {
  const cluster = await startedCluster()
  const { driver } = cluster.leader!
  const { epoch } = driver.state
  driver.receive({ kind: 'begin-quorum-epoch', clusterId: 'other', from: 2 as NodeId, to: cluster.leader!.id, epoch: (epoch + 5) as typeof epoch })
  await cluster.scheduler.advance(10)
  expect(driver.state.epoch).toBe(epoch)
})

test('an idle quorum is quiet: a few messages a second', async () => {
  const cluster = await startedCluster()
  const { sent } = cluster.network.counts
  await cluster.scheduler.advance(10_000)
  expect((cluster.network.counts.sent - sent) / 10).toBeLessThan(10)
})
