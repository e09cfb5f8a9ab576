import { VirtualScheduler } from '@kavka/testkit'
import { afterPatience } from './patient-timer.ts'

test('is due after the whole delay, once, and can be canceled in either half', async () => {
  const scheduler = new VirtualScheduler()
  const ran: string[] = []
  afterPatience(scheduler, 1_000, () => void ran.push('due'))
  const early = afterPatience(scheduler, 1_000, () => void ran.push('early'))
  const late = afterPatience(scheduler, 1_000, () => void ran.push('late'))
  await scheduler.advance(400)
  early.cancel()
  await scheduler.advance(400)
  late.cancel()
  await scheduler.advance(199)
  expect(ran).toEqual([])
  await scheduler.advance(1)
  await scheduler.advance(5_000)
  expect(ran).toEqual(['due'])
})
