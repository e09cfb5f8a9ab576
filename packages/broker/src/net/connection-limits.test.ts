import { ConnectionLimits, parsePerIpOverrides } from './connection-limits.ts'

const open = { isProtected: false }

test('limits count by address and over all, and forget what has ended', () => {
  const limits = new ConnectionLimits({ connectionsMax: 3, connectionsPerIpMax: 2, perIpOverrides: new Map([['10.0.0.9', 1]]) })
  expect(limits.admit('10.0.0.1', open)).toBeNull()
  expect(limits.admit('10.0.0.1', open)).toBeNull()
  expect(limits.admit('10.0.0.1', open)).toContain('max.connections.per.ip=2')
  expect(limits.admit('10.0.0.9', open)).toBeNull()
  expect(limits.admit('10.0.0.2', open)).toContain('max.connections=3')
  limits.release('10.0.0.1')
  expect(limits.admit('10.0.0.9', open)).toContain('max.connections.per.ip=1')
  expect(limits.admit('10.0.0.2', open)).toBeNull()
  expect(() => limits.release('10.0.0.7')).toThrow('admitted')
})

test('listeners between nodes stay open when clients have used up the limit', () => {
  const limits = new ConnectionLimits({ connectionsMax: 0, connectionsPerIpMax: 10, perIpOverrides: new Map() })
  expect(limits.admit('10.0.0.1', open)).not.toBeNull()
  expect(limits.admit('10.0.0.1', { isProtected: true })).toBeNull()
})

test('overrides are parsed, nonsense is left out', () => {
  expect([...parsePerIpOverrides('10.0.0.1:5, ::1:7,broken,x:-1')]).toEqual([['10.0.0.1', 5], ['::1', 7]])
  expect(parsePerIpOverrides('').size).toBe(0)
})
