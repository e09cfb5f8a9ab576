import { VirtualScheduler } from '@kavka/testkit'
import { KeepAlive } from './keep-alive.ts'

interface Watched {
  readonly scheduler: VirtualScheduler
  readonly keepAlive: KeepAlive
  readonly events: string[]
  hear(): void
}

function watch(): Watched {
  let bytesRead = 0
  const scheduler = new VirtualScheduler()
  const events: string[] = []
  const keepAlive = new KeepAlive({ intervalMs: 100, timeoutMs: 30 }, {
    scheduler,
    bytesRead: () => bytesRead,
    ping: () => void events.push(`ping@${scheduler.monotonicMs()}`),
    onSilence: () => void events.push(`silence@${scheduler.monotonicMs()}`),
  })
  return { scheduler, keepAlive, events, hear: () => void bytesRead++ }
}

test('a peer that speaks is not asked', () => {
  const { scheduler, hear, events } = watch()
  for (let i = 0; i < 10; i++) {
    scheduler.advanceSync(60)
    hear()
  }
  expect(events).toEqual([])
})

test('a silent one is asked, and given up when it says nothing', () => {
  const { scheduler, events } = watch()
  scheduler.advanceSync(1000)
  expect(events).toEqual(['ping@100', 'silence@130'])
})

test('whatever it answers, it is watched on', () => {
  const { scheduler, hear, events } = watch()
  scheduler.advanceSync(110)
  hear()
  scheduler.advanceSync(130)
  expect(events).toEqual(['ping@100', 'ping@230'])
})

test('nothing runs after the end', () => {
  const { scheduler, keepAlive, events } = watch()
  keepAlive.stop()
  scheduler.advanceSync(1000)
  expect(events).toEqual([])
})
