import { CountedWriter } from './counted-writer.ts'

function makeWriter(): { writer: CountedWriter; finishOne(): void; drained(): number } {
  const pending: (() => void)[] = []
  let drained = 0
  const sink = { write: (_message: unknown, done: () => void) => pending.push(done) > 0 } as never
  const writer = new CountedWriter({ unsentBytesMax: 100 }, { sink, onDrained: () => drained++ })
  return { writer, finishOne: () => pending.shift()?.(), drained: () => drained }
}

test('is full at its bound and drained once when half of it is free again', () => {
  const { writer, finishOne, drained } = makeWriter()
  writer.write('a', 60)
  expect(writer.full).toBe(false)
  writer.write('b', 40)
  expect(writer.full).toBe(true)
  writer.write('c', 10)
  finishOne()
  expect(drained()).toBe(1)
  expect(writer.unsentBytes).toBe(50)
  finishOne()
  finishOne()
  expect(drained()).toBe(1)
  expect(writer.unsentBytes).toBe(0)
})

test('what never filled it never drains', () => {
  const { writer, finishOne, drained } = makeWriter()
  writer.write('a', 99)
  finishOne()
  expect(drained()).toBe(0)
})

test('one message above the bound is taken', () => {
  const { writer, finishOne, drained } = makeWriter()
  writer.write('a', 1_000)
  expect(writer.full).toBe(true)
  finishOne()
  expect(drained()).toBe(1)
})
