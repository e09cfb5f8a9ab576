import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { credentials } from '@grpc/grpc-js'
import type { Scheduler } from '@kavka/kernel'
import { VirtualScheduler } from '@kavka/testkit'
import { SILENCE_MS_MAX } from '../connection-watch.ts'
import { plaintext } from '../grpc-client.ts'
import { StandingTime } from '../testing/standing-time.ts'
import { CallSocket } from './call-socket.ts'
import { connectCall } from './connect-call.ts'
import { CONNECTION_PREFACE, frame, FrameType } from './frame-layout.ts'
import { SlabPool } from './receive-memory.ts'

function callOf(role: 'client' | 'server', scheduler: Scheduler) {
  const closed: string[] = []
  const events = { headers: () => {}, message: () => {}, drained: () => {}, closed: (reason: string) => void closed.push(reason) }
  const options = { role, messageBytesMax: 1024, unsentBytesMax: 1024 }
  return { call: new CallSocket(options, { scheduler, slabs: new SlabPool({ slabsMax: 1 }), events }), closed }
}

/** Keeps all that is written until the test lets it go. */
class StuckSocket {
  writableLength = 0
  readonly #drained: (() => void)[] = []

  write(buffer: Buffer): void {
    this.writableLength += buffer.length
  }

  on(event: string, listener: () => void): void {
    if (event === 'drain') this.#drained.push(listener)
  }

  drain(): void {
    this.writableLength = 0
    for (const listener of this.#drained) listener()
  }

  cork(): void {}
  uncork(): void {}
  destroy(): void {}
}

const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame({ type: FrameType.ping, flags: 0, streamId: 0 }, Buffer.alloc(8))))

test('a peer that pings and does not read is given up', () => {
  const { call, closed } = callOf('server', new VirtualScheduler())
  const socket = new StuckSocket()
  call.attach(socket as unknown as Socket)
  call.chunk(CONNECTION_PREFACE)
  for (let i = 0; i < 200; i++) call.chunk(pings)
  expect(closed).toEqual(['the peer does not read the answers to its pings'])
  expect(socket.writableLength).toBeLessThan(2 * 1024 * 1024)
})

test('one that reads may ping as often as it likes', () => {
  const { call, closed } = callOf('server', new VirtualScheduler())
  const socket = new StuckSocket()
  call.attach(socket as unknown as Socket)
  call.chunk(CONNECTION_PREFACE)
  for (let i = 0; i < 200; i++) {
    call.chunk(pings)
    socket.drain()
  }
  expect(closed).toEqual([])
})

test.each([
  ['plain', plaintext],
  ['TLS', () => credentials.createSsl()],
])('a machine that accepts and says nothing is given up: %s', async (_name, credentialsOf) => {
  const accepted: Socket[] = []
  const silent = createServer((socket) => void accepted.push(socket.on('error', () => {}).resume()))
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve)
  })
  const time = new StandingTime()
  const { call, closed } = callOf('client', time.scheduler)
  const hangUp = connectCall(call, { host: '127.0.0.1', port: (silent.address() as AddressInfo).port }, { scheduler: time.scheduler, credentialsOf })
  await time.until(() => accepted.length === 1)
  await time.passUntil(() => closed.length === 1)
  expect(closed).toEqual([`nothing heard for ${SILENCE_MS_MAX} ms`])
  hangUp()
  for (const socket of accepted) socket.destroy()
  silent.close()
})
