import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { freePorts } from '@kavka/testkit'
import { eventually } from '../../process/eventually.ts'
import { HoldingProxy } from './holding-proxy.ts'

const started: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of started.splice(0)) await each.close()
})

/** A server that keeps what it is sent and answers each piece with itself. */
async function echo(): Promise<{ port: number; received: string[]; ended: () => number }> {
  const received: string[] = []
  let ended = 0
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('close', () => ended++)
    socket.on('data', (chunk: Buffer) => {
      received.push(chunk.toString())
      if (socket.writable) socket.write(chunk)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  started.push(server)
  return { port: (server.address() as AddressInfo).port, received, ended: () => ended }
}

async function proxyTo(port: number, share: number, holdMs: readonly [number, number]): Promise<{ port: number; stop: () => Promise<void> }> {
  const [own] = (await freePorts(1)) as [number]
  const proxy = await HoldingProxy.start({ host: '127.0.0.1', ports: [[own, port]], seed: 1, share, holdMs }, [])
  let stopped: Promise<void> | null = null
  const stop = (): Promise<void> => (stopped ??= proxy.stop())
  started.push({ close: stop })
  return { port: own, stop }
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  return socket.on('error', () => {})
}

test('passes on what it does not hold, both ways, and the end of a connection', async () => {
  const { port, received, ended } = await echo()
  const proxy = await proxyTo(port, 0, [1, 2])
  const socket = await dial(proxy.port)
  socket.write('hello')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect([answer.toString(), received]).toEqual(['hello', ['hello']])
  socket.destroy()
  await eventually(() => ended() === 1, { what: 'the end is passed on', withinMs: 5000 })
}, 20_000)

test('what it holds arrives late, also when its sender has gone and came back on another connection', async () => {
  const { port, received } = await echo()
  const holding = await proxyTo(port, 1, [60_000, 60_001])
  const first = await dial(holding.port)
  first.write('before')
  await eventually(() => first.bytesWritten === 6, { what: 'it is sent', withinMs: 5000 })
  await new Promise((resolve) => {
    setTimeout(resolve, 200)
  })
  first.destroy()
  const direct = await dial(port)
  direct.write('after')
  await once(direct, 'data')
  expect(received).toEqual(['after'])
  await holding.stop()
  await eventually(() => received.length === 2, { what: 'what was held is let go', withinMs: 5000 })
  expect(received).toEqual(['after', 'before'])
  direct.destroy()
}, 20_000)
