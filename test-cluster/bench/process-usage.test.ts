import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { parseCpuSeconds, parseRssMegabytes, parseWrittenBytes, processesByPort, usageOf } from './process-usage.ts'

test('CPU time is user and system time, whatever the process calls itself', () => {
  const stat = '4711 (ja va) R (x)) S 1 4711 4711 0 -1 4194304 9 0 0 0 1234 66 0 0 20 0 60 0 123 4096 77 18446744073709551615'
  expect(parseCpuSeconds(stat)).toBe(13)
})

test('resident memory is the second number of statm, in pages of 4 KiB', () => {
  expect(parseRssMegabytes('500000 25000 9000 20000 0 100000 0\n')).toBe(102.4)
})

test('disk writes leave out what was truncated away', () => {
  const io = 'rchar: 1\nwchar: 99999\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 81920\ncancelled_write_bytes: 4096'
  expect(parseWrittenBytes(io)).toBe(77_824)
  expect(parseWrittenBytes('')).toBe(0)
})

test('this process uses something', () => {
  const { cpuSeconds, rssMegabytes } = usageOf(process.pid)
  expect(cpuSeconds).toBeGreaterThan(0)
  expect(Math.abs(rssMegabytes - process.memoryUsage.rss() / 1e6)).toBeLessThan(20)
  expect(() => usageOf(2 ** 30)).toThrow('ENOENT')
})

test('a port leads to the process that listens on it', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  expect(processesByPort([port]).get(port)).toBe(process.pid)
  await new Promise((resolve) => {
    server.close(resolve)
  })
  expect(processesByPort([port]).size).toBe(0)
})
