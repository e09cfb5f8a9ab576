import type { ControllerReply } from '@kavka/controller'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import { contextOfNode } from './controller-gateway.ts'
import { ForwardingGateway } from './forwarding-gateway.ts'

const request = { apiKey: ApiKey.CreateTopics, apiVersion: 7, body: {}, timeoutMs: 5_000 }

function setUp(replies: (attempt: number) => ControllerReply) {
  const scheduler = new VirtualScheduler()
  let attempts = 0
  const channel = { request: () => Promise.resolve(replies(attempts++)), openSession: () => ({ close: () => {} }) }
  const gateway = new ForwardingGateway({ channel, scheduler, activeControllerId: () => null })
  return { scheduler, gateway, attempts: () => attempts }
}

test('an election is waited for', async () => {
  const body = { topics: [] }
  const { scheduler, gateway } = setUp((attempt) => (attempt < 5 ? { kind: 'not-controller', leaderId: null } : { kind: 'answered', body }))
  const answer = gateway.request(request, contextOfNode('PLAINTEXT'))
  await scheduler.advance(1_000)
  await expect(answer).resolves.toEqual({ kind: 'answered', body })
})

test('without a controller the time of the request is the end', async () => {
  const { scheduler, gateway, attempts } = setUp(() => ({ kind: 'not-controller', leaderId: null }))
  const answer = gateway.request(request, contextOfNode('PLAINTEXT'))
  await scheduler.advance(6_000)
  await expect(answer).resolves.toEqual({ kind: 'failed', errorCode: ErrorCode.REQUEST_TIMED_OUT })
  expect(attempts()).toBeGreaterThan(10)
})

test('what may have been carried out is not asked again', async () => {
  const { gateway, attempts } = setUp(() => ({ kind: 'unreachable' }))
  await expect(gateway.request(request, contextOfNode('PLAINTEXT'))).resolves.toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT })
  expect(attempts()).toBe(1)
})
