import { defaultSizes, effectiveSizes, parseCompareOptions } from './compare-options.ts'
import { allMeasurements } from './measurements/all-measurements.ts'

const parse = (...args: string[]) => parseCompareOptions(args, allMeasurements, 'somewhere')
const names = (...args: string[]): string[] => parse(...args).measurements.map(({ name }) => name)

test('measurements have names of their own that --only can tell apart', () => {
  const all = allMeasurements.map(({ name }) => name)
  expect(new Set(all).size).toBe(all.length)
  for (const name of all) expect(name).toMatch(/^[a-z][A-Za-z0-9-]*$/)
})

test('the core is part of the whole, and the whole part of every combination', () => {
  const [quick, full, matrix] = [names('--quick'), names(), names('--profile', 'matrix')]
  expect(matrix.slice(0, 3)).toEqual(['produce', 'produce-100B', 'produce-10K'])
  expect(quick).toEqual([
    'produce', 'produce-sync', 'consume', 'end-to-end', 'end-to-end-1000', 'end-to-end-10000', 'idle', 'cold-start', 'failover',
  ])
  expect(full).toEqual(expect.arrayContaining(quick))
  expect(matrix).toEqual(allMeasurements.map(({ name }) => name))
  expect(full).toEqual(expect.arrayContaining(['produce-p60', 'growth-5000', 'connections-2000', 'recovery']))
  expect(full).not.toContain('produce-100B-acks1-zstd')
  expect(matrix).toContain('produce-100B-acks1-zstd')
})

test('--only takes names and beginnings of names, in the order of the table', () => {
  expect(names('--only', 'restart,growth-*,produce')).toEqual(['produce', 'restart', 'growth-10', 'growth-100', 'growth-1000', 'growth-5000'])
  expect(names('--only', 'produce-sync*')).not.toContain('produce-sync-zstd')
  expect(names('--only', 'produce-sync*', '--profile', 'matrix')).toContain('produce-sync-zstd')
  expect(names('--only', 'produce-sync-zstd')).toEqual(['produce-sync-zstd'])
  expect(() => names('--only', 'produce,nothing')).toThrow('no measurement is called nothing')
})

test('sizes come in megabytes or in records of 1 KiB', () => {
  expect(parse('--megabytes', '50').sizes).toEqual({ megabytes: 50 })
  expect(parse('--records', '1000').sizes).toEqual({ megabytes: 1.024 })
  expect(() => parse('--records', '1', '--megabytes', '1')).toThrow('give one')
  expect(() => parse('--rounds', '0')).toThrow('--rounds is a number above zero')
  expect(() => parse('--seconds', 'x')).toThrow('--seconds is a number above zero')
  expect(() => parse('--sides', 'kavka,redpanda')).toThrow('kafka, kafka-quick-start, kavka')
  expect(parse('--sides', 'kavka').sides).toEqual(['kavka'])
  expect(() => parse('--profile', 'all')).toThrow('quick, full, matrix')
})

test('a comparison goes on with the sizes it began with', () => {
  const began = { ...defaultSizes, megabytes: 10 }
  expect(effectiveSizes({}, null)).toEqual(defaultSizes)
  expect(effectiveSizes({ seconds: 3 }, null)).toEqual({ ...defaultSizes, seconds: 3 })
  expect(effectiveSizes({}, began)).toEqual(began)
  expect(effectiveSizes({ megabytes: 10 }, began)).toEqual(began)
  expect(() => effectiveSizes({ megabytes: 20 }, began)).toThrow('megabytes 10')
})
