import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { targetOf } from './grpc-client.ts'
import { GrpcEndpoint } from './grpc-endpoint.ts'
import { listenOnLoopback } from './testing/loopback-listener.ts'
import { until } from './testing/until.ts'

async function dialRaw(port: number, bytes: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  socket.write(bytes)
  await new Promise((resolve) => {
    socket.once('connect', resolve)
  })
  return socket
}

test('connections that begin like HTTP/2 and go on as nonsense are dropped without harm', async () => {
  const endpoint = new GrpcEndpoint({ providers: [] })
  const listener = await listenOnLoopback({ allowed: 'replication-and-controller' }, endpoint)
  const sockets = [
    await dialRaw(listener.port, 'PRI * HTTP/1.1\r\n\r\nhello'),
    await dialRaw(listener.port, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\xff'.repeat(100)}`),
  ]
  await until(() => sockets.every((socket) => socket.destroyed))
  expect(endpoint.connectionCount).toBe(0)
  await listener.close()
})

test('close cuts the connections there are and refuses later ones', async () => {
  const endpoint = new GrpcEndpoint({ providers: [] })
  const listener = await listenOnLoopback({ allowed: 'controller' }, endpoint)
  const early = await dialRaw(listener.port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  await until(() => endpoint.connectionCount === 1)
  endpoint.close()
  await until(() => early.destroyed)
  const late = await dialRaw(listener.port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  await until(() => late.destroyed)
  expect(endpoint.connectionCount).toBe(0)
  await listener.close()
})

test('addresses become targets that gRPC resolves without guessing', () => {
  expect(targetOf({ host: '10.0.0.1', port: 9093 })).toBe('dns:10.0.0.1:9093')
  expect(targetOf({ host: '::1', port: 9093 })).toBe('dns:[::1]:9093')
  expect(targetOf({ host: 'broker-1', port: 9093 })).toBe('dns:broker-1:9093')
})
