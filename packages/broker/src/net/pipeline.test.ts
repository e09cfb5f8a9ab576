import { Pipeline } from './pipeline.ts'
import type { Overlap, RequestOutcome } from './pipeline.ts'

function reply(text: string): RequestOutcome {
  return { kind: 'reply', buffers: [Buffer.from(text)] }
}

class Harness {
  readonly log: string[] = []
  readonly settlers = new Map<string, (outcome: RequestOutcome) => void>()
  readonly pipeline: Pipeline

  constructor(requestsMax = 10) {
    this.pipeline = new Pipeline(
      { requestsMax },
      {
        reply: (buffers) => this.log.push(`reply ${Buffer.concat([...buffers]).toString()}`),
        close: (reason) => this.log.push(`close ${reason}`),
        progressed: () => {},
      },
    )
  }

  accept(name: string, overlap: Overlap): void {
    this.pipeline.accept({
      overlap,
      run: () => {
        this.log.push(`start ${name}`)
        return new Promise((resolve) => this.settlers.set(name, resolve))
      },
      replied: () => {},
    })
  }

  async settle(name: string, outcome: RequestOutcome = reply(name)): Promise<void> {
    this.settlers.get(name)!(outcome)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('replies leave in request order, produces run beside each other', async () => {
  const h = new Harness()
  h.accept('p1', 'produce')
  h.accept('p2', 'produce')
  expect(h.log).toEqual(['start p1', 'start p2'])
  await h.settle('p2')
  expect(h.log).toEqual(['start p1', 'start p2'])
  await h.settle('p1')
  expect(h.log.slice(2)).toEqual(['reply p1', 'reply p2'])
})

test('other requests wait for what is before them and hold back what is after them', async () => {
  const h = new Harness()
  h.accept('p1', 'produce')
  h.accept('meta', 'alone')
  h.accept('p2', 'produce')
  expect(h.log).toEqual(['start p1'])
  await h.settle('p1')
  expect(h.log).toEqual(['start p1', 'reply p1', 'start meta'])
  await h.settle('meta')
  expect(h.log.slice(3)).toEqual(['reply meta', 'start p2'])
})

test('one fetch at a time, produces beside it', async () => {
  const h = new Harness()
  h.accept('f1', 'fetch')
  h.accept('p1', 'produce')
  h.accept('f2', 'fetch')
  expect(h.log).toEqual(['start f1', 'start p1'])
  await h.settle('f1')
  expect(h.log).toEqual(['start f1', 'start p1', 'reply f1', 'start f2'])
})

test('a close waits for the replies before it and silences those after it', async () => {
  const h = new Harness()
  h.accept('p1', 'produce')
  h.accept('p2', 'produce')
  h.accept('p3', 'produce')
  await h.settle('p3')
  await h.settle('p2', { kind: 'close', reason: 'bad' })
  expect(h.log).toEqual(['start p1', 'start p2', 'start p3'])
  await h.settle('p1')
  expect(h.log.slice(3)).toEqual(['reply p1', 'close bad'])
  expect(h.pipeline.hasRoom).toBe(false)
})

test('the bound is a bound, and a hold starts nothing', async () => {
  const h = new Harness(2)
  h.accept('p1', 'produce')
  h.accept('p2', 'produce')
  expect(h.pipeline.hasRoom).toBe(false)
  expect(() => h.accept('p3', 'produce')).toThrow('room')
  await h.settle('p1')
  expect(h.pipeline.hasRoom).toBe(true)
  h.pipeline.hold()
  expect(h.pipeline.hasRoom).toBe(false)
  h.pipeline.release()
  expect(h.pipeline.hasRoom).toBe(true)
})

test('silent requests leave nothing behind', async () => {
  const h = new Harness()
  h.accept('p1', 'produce')
  await h.settle('p1', { kind: 'silent' })
  expect(h.log).toEqual(['start p1'])
  expect(h.pipeline.length).toBe(0)
})

test('requests that answer at once are all answered, in order', () => {
  const log: string[] = []
  const pipeline = new Pipeline(
    { requestsMax: 100 },
    { reply: ([buffer]) => log.push(String(buffer)), close: () => {}, progressed: () => {} },
  )
  for (let index = 0; index < 50; index++) {
    pipeline.accept({ overlap: 'alone', run: () => reply(String(index)), replied: () => {} })
  }
  expect(log).toEqual(Array.from({ length: 50 }, (_, index) => String(index)))
})
