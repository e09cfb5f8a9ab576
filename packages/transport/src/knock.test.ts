import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { systemScheduler } from '@kavka/kernel'
import { knock } from './knock.ts'

const scheduler = systemScheduler

test('answered by who listens, by address and by name; the connection is closed again', async () => {
  const closed: Promise<void>[] = []
  const server = createServer((socket) => {
    socket.resume()
    closed.push(new Promise((resolve) => void socket.on('error', () => {}).once('close', () => resolve())))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await knock({ host: '127.0.0.1', port }, { scheduler }).answered
  await knock({ host: 'localhost', port }, { scheduler }).answered
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  expect(closed).toHaveLength(2)
  await Promise.all(closed)
  await expect(knock({ host: '127.0.0.1', port }, { scheduler }).answered).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('one that nobody waits for ends at once', async () => {
  const attempt = knock({ host: '127.0.0.1', port: 9 }, { scheduler })
  attempt.cancel()
  await expect(attempt.answered).rejects.toThrow('not waited for')
})
