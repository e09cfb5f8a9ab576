import { parseChaosOptions } from './chaos-options.ts'

const now = (): number => 12_345

test('defaults: every nemesis on a cluster of our own, with a seed from the clock', () => {
  const settings = parseChaosOptions([], now)
  expect(settings).toMatchObject({ minutes: 2, seed: 12_345, nodes: 3, topic: 'chaos', external: null })
  expect(settings.nemeses.map(({ name }) => name)).toContain('power-loss-all')
})

test('names and groups of nemeses, each once', () => {
  const { nemeses } = parseChaosOptions(['--nemesis', 'kill,power,power-loss'], now)
  expect(nemeses.map(({ name }) => name)).toEqual(['kill', 'power-loss', 'power-loss-all'])
})

test('a cluster of somebody else gets a topic of its own', () => {
  const settings = parseChaosOptions(['--bootstrap', 'a:1,b:2', '--seed', '7', '--stop-command', 'stop {node}'], now)
  expect(settings.topic).toBe('chaos-7')
  expect(settings.external).toEqual({ bootstrap: 'a:1,b:2', stopCommand: 'stop {node}', startCommand: null, killCommand: null })
})

test.each([
  [['--minutes', '0'], /--minutes takes a number above 0/],
  [['--overlap', '2'], /--overlap takes a number from 0 to 1/],
  [['--seed', 'x'], /--seed takes a number/],
  [['--nemesis', 'earthquake'], /no nemesis is called earthquake; there are all, partition/],
  [['--what'], /what/],
])('%j is refused with a sentence', (args, message) => {
  expect(() => parseChaosOptions(args, now)).toThrow(message)
})
