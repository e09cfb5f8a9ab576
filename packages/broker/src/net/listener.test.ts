import { silentLogger, systemScheduler } from '@kavka/kernel'
import { ANONYMOUS } from '../handlers/handler.ts'
import { KafkaTestClient } from '../testing/kafka-test-client.ts'
import { ConnectionLimits } from './connection-limits.ts'
import { Listener } from './listener.ts'
import type { ListenerOptions } from './listener.ts'
import type { PipelinedRequest, RequestOutcome } from './pipeline.ts'
import { RefusalLog } from './refusal-log.ts'

interface Overrides {
  readonly idleMsMax?: number
  readonly connectionsMax?: number
  readonly perIpMax?: number
  readonly requestOf?: (frame: Buffer) => PipelinedRequest
}

/** Answers each frame with the same bytes, at once. */
function echo(frame: Buffer): PipelinedRequest {
  return answer(() => replyOf(frame))
}

function answer(run: () => RequestOutcome | Promise<RequestOutcome>): PipelinedRequest {
  return { overlap: 'alone', run, replied: () => {} }
}

function replyOf(payload: Buffer): RequestOutcome & { readonly kind: 'reply' } {
  const length = Buffer.alloc(4)
  length.writeInt32BE(payload.length)
  return { kind: 'reply', buffers: [length, payload] }
}

function framed(payload: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(payload.length)
  return Buffer.concat([length, payload])
}

const open: Listener[] = []

async function listen(overrides: Overrides = {}): Promise<Listener> {
  const { idleMsMax = 600_000, connectionsMax = 100, perIpMax = 100, requestOf = echo } = overrides
  const options: ListenerOptions = {
    name: 'PLAINTEXT', role: 'broker', securityProtocol: 'PLAINTEXT', bindHost: '127.0.0.1', bindPort: 0, backlog: 50,
    connectionsIdleMsMax: idleMsMax, isProtected: false,
    connection: { frameBytesMax: 1 << 20, requestsInFlightMax: 16, replyBytesWaitingMax: 1 << 20 },
  }
  const limits = new ConnectionLimits({ connectionsMax, connectionsPerIpMax: perIpMax, perIpOverrides: new Map() })
  const refusals = new RefusalLog({ logger: silentLogger, clock: systemScheduler })
  const listener = new Listener(options, { scheduler: systemScheduler, limits, refusals, principal: ANONYMOUS, requestOf, acceptGrpc: null })
  await listener.listen()
  open.push(listener)
  return listener
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close(0)))
})

test('pipelined frames are answered in order however the bytes arrive', async () => {
  const listener = await listen()
  const client = await KafkaTestClient.connect(listener.port)
  const bytes = Buffer.concat(Array.from({ length: 200 }, (_, index) => framed(Buffer.from(`request ${index}`))))
  for (const byte of bytes.subarray(0, 40)) client.raw(Buffer.from([byte]))
  client.raw(bytes.subarray(40))
  for (let index = 0; index < 200; index++) expect(String(await client.frame())).toBe(`request ${index}`)
  await client.close()
})

test('a peer that does not read its replies stops being served until it does', async () => {
  const large = Buffer.alloc(256 * 1024, 1)
  let started = 0
  const listener = await listen({
    requestOf: () => answer(() => {
      started++
      return replyOf(large)
    }),
  })
  const client = await KafkaTestClient.connect(listener.port)
  client.socket.pause()
  const requests = 400
  client.raw(Buffer.concat(Array.from({ length: requests }, () => framed(Buffer.from('more')))))
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(started).toBeLessThan(requests)
  expect(listener.replyBytesWaiting).toBeLessThan((1 << 20) + 2 * large.length)
  client.socket.resume()
  for (let index = 0; index < requests; index++) expect((await client.frame()).length).toBe(large.length)
  await client.close()
})

test('a hundred thousand pipelined requests are all answered', async () => {
  const listener = await listen()
  const client = await KafkaTestClient.connect(listener.port)
  client.raw(Buffer.concat(Array.from({ length: 100_000 }, () => framed(Buffer.from('x')))))
  for (let index = 0; index < 100_000; index++) await client.frame()
  await client.close()
})

test('idle connections are closed, busy ones are not', async () => {
  const listener = await listen({ idleMsMax: 100, requestOf: () => answer(() => new Promise(() => {})) })
  const [silent, partial, waiting] = await Promise.all([1, 2, 3].map(() => KafkaTestClient.connect(listener.port)))
  partial!.raw(Buffer.from([0, 0]))
  waiting!.raw(framed(Buffer.from('answer me')))
  await Promise.all([silent!.closedByServer(), partial!.closedByServer()])
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(listener.connectionCount).toBe(1)
  expect(listener.totals.idleClosed).toBe(2)
  await waiting!.close()
})

test('connections beyond the limits are closed at once and those within are not touched', async () => {
  const listener = await listen({ perIpMax: 2 })
  const first = await KafkaTestClient.connect(listener.port)
  const second = await KafkaTestClient.connect(listener.port)
  const third = await KafkaTestClient.connect(listener.port)
  await third.closedByServer()
  first.raw(framed(Buffer.from('still here')))
  expect(String(await first.frame())).toBe('still here')
  await first.close()
  await second.close()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const fourth = await KafkaTestClient.connect(listener.port)
  fourth.raw(framed(Buffer.from('room again')))
  expect(String(await fourth.frame())).toBe('room again')
  await fourth.close()
})

test('gRPC is refused where it is not served', async () => {
  const listener = await listen()
  const client = await KafkaTestClient.connect(listener.port)
  client.raw(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'))
  await client.closedByServer()
  expect(listener.totals.refused).toBe(1)
})

test('closing lets what is in flight be answered', async () => {
  let release: (outcome: RequestOutcome) => void = () => {}
  const listener = await listen({ requestOf: () => answer(() => new Promise((resolve) => (release = resolve))) })
  const client = await KafkaTestClient.connect(listener.port)
  client.raw(framed(Buffer.from('slow')))
  await new Promise((resolve) => setTimeout(resolve, 20))
  const closed = listener.close(5_000)
  release(replyOf(Buffer.from('done')))
  expect(String(await client.frame())).toBe('done')
  await closed
  await client.closedByServer()
})

/** A client that does not read, and a reply too large for the kernel. */
async function replyThatWaits() {
  const large = Buffer.alloc(32 * 1024 * 1024, 1)
  let sent = 0
  const listener = await listen({ requestOf: () => answer(() => ({ ...replyOf(large), sent: () => void sent++ })) })
  const client = await KafkaTestClient.connect(listener.port)
  client.socket.pause()
  client.raw(framed(Buffer.from('ask')))
  await until(() => listener.replyBytesWaiting > 0)
  return { listener, client, sentCount: () => sent }
}

test('what lends memory to a reply is told when the reply is with the kernel, not before', async () => {
  const { client, sentCount } = await replyThatWaits()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(sentCount()).toBe(0)
  client.socket.resume()
  await client.frame()
  await until(() => sentCount() === 1)
  await client.close()
})

test('nobody is told of a reply that was not sent: the kernel may still be looking at it', async () => {
  const { listener, client, sentCount } = await replyThatWaits()
  client.socket.destroy()
  await until(() => listener.connectionCount === 0)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(sentCount()).toBe(0)
})

async function until(condition: () => boolean): Promise<void> {
  for (let waits = 0; !condition(); waits++) {
    if (waits > 500) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
