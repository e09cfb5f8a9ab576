import { EventEmitter } from 'node:events'
import { VirtualScheduler } from '@kavka/testkit'
import { ConnectionWatch, SILENCE_MS_MAX } from './connection-watch.ts'
import { HANDSHAKE_MS_MAX } from './knock.ts'

class FakeSocket extends EventEmitter {
  bytesRead = 0
}

function setUp(): { scheduler: VirtualScheduler; watch: ConnectionWatch; lost: string[] } {
  const scheduler = new VirtualScheduler()
  const lost: string[] = []
  return { scheduler, lost, watch: new ConnectionWatch({}, { scheduler, lost: (reason) => void lost.push(reason) }) }
}

test('a handshake that does not end is given up', async () => {
  const { scheduler, watch, lost } = setUp()
  watch.handshaking()
  await scheduler.advance(HANDSHAKE_MS_MAX - 1)
  expect(lost).toEqual([])
  await scheduler.advance(1)
  expect(lost).toEqual([`no connection within ${HANDSHAKE_MS_MAX} ms`])
})

test('a connection that says something now and then is kept, one that falls silent is given up once', async () => {
  const { scheduler, watch, lost } = setUp()
  const socket = new FakeSocket()
  watch.handshaking()
  watch.connected(socket)
  for (let second = 0; second < 20; second++) {
    socket.bytesRead += 17
    await scheduler.advance(1_000)
  }
  expect(lost).toEqual([])
  await scheduler.advance(SILENCE_MS_MAX + 500)
  await scheduler.advance(60_000)
  expect(lost).toEqual([`nothing heard for ${SILENCE_MS_MAX} ms`])
})

test('a pause of two seconds is none of its business, nor is what happens after it was stopped', async () => {
  const { scheduler, watch, lost } = setUp()
  const socket = new FakeSocket()
  watch.connected(socket)
  socket.bytesRead = 1
  await scheduler.advance(2_000)
  socket.bytesRead = 2
  await scheduler.advance(2_000)
  expect(lost).toEqual([])
  watch.stop()
  await scheduler.advance(60_000)
  watch.connected(new FakeSocket())
  await scheduler.advance(60_000)
  expect(lost).toEqual([])
})

test('a socket that closed counts for nothing, another one goes on', async () => {
  const { scheduler, watch, lost } = setUp()
  const first = new FakeSocket()
  const second = new FakeSocket()
  watch.connected(first)
  watch.connected(second)
  first.emit('close')
  for (let second10 = 0; second10 < 10; second10++) {
    first.bytesRead += 1
    second.bytesRead += 1
    await scheduler.advance(1_000)
  }
  expect(lost).toEqual([])
  first.bytesRead += 1_000
  await scheduler.advance(SILENCE_MS_MAX + 1_000)
  expect(lost).toHaveLength(1)
})

// The process itself stood still: its timers are late, and what arrived meanwhile is read only after the first of them.
test('time in which this process did not run is not counted', () => {
  const timers: (() => void)[] = []
  const after = (_delayMs: number, run: () => void): { cancel(): void } => {
    timers.push(run)
    return { cancel: () => {} }
  }
  const lost: string[] = []
  const socket = new FakeSocket()
  const scheduler = Object.assign(new VirtualScheduler(), { after })
  const watch = new ConnectionWatch({}, { scheduler, lost: (reason) => void lost.push(reason) })
  watch.connected(socket)
  // Ten seconds later: one timer is due, however many intervals have passed.
  timers.shift()!()
  socket.bytesRead += 1
  for (let look = 0; look < 5; look++) timers.shift()!()
  expect(lost).toEqual([])
})
