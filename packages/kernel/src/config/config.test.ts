import {
  brokerConfigKeys, describeConfigError, layoutOf, loadBrokerConfig, LONG_MAX, parseProperties, propertiesOfEnvironment,
  propertyNameOf, propertyNameOfVariable, resolveTopicConfig, rowsOf, topicConfigKeys, validateTopicConfig,
} from './index.ts'
import type { BrokerConfig } from './index.ts'

const combined: ReadonlyArray<readonly [string, string]> = [
  ['process.roles', 'broker,controller'],
  ['node.id', '1'],
  ['controller.quorum.voters', '1@127.0.0.1:9192'],
  ['listeners', 'PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9192'],
  ['controller.listener.names', 'CONTROLLER'],
]

function load(...changes: ReadonlyArray<readonly [string, string]>): BrokerConfig {
  const loaded = loadBrokerConfig(new Map([...combined, ...changes]))
  if (!loaded.ok) throw new Error(loaded.error.map(describeConfigError).join('\n'))
  return loaded.value.config
}

function problems(...changes: ReadonlyArray<readonly [string, string]>): string[] {
  const loaded = loadBrokerConfig(new Map([...combined, ...changes]))
  if (!loaded.ok) return loaded.error.map(describeConfigError)
  const layout = layoutOf(loaded.value.config, 'here')
  return layout.ok ? [] : layout.error.map(describeConfigError)
}

test('every declaration is filed under the camel case of its key', () => {
  for (const table of [brokerConfigKeys, topicConfigKeys]) {
    for (const [property, row] of rowsOf(table)) expect(property).toBe(propertyNameOf(row.name))
  }
})

test('every default is a value that its own declaration accepts', () => {
  for (const table of [brokerConfigKeys, topicConfigKeys]) {
    for (const [, row] of rowsOf(table)) {
      if (row.default === undefined || row.default === null) continue
      const text = row.format(row.default)
      if (text === '' || text === null) continue
      expect([row.name, row.parse(text)]).toEqual([row.name, { ok: true, value: row.default }])
    }
  }
})

test('a wrong value names the key, the value and what is allowed', () => {
  expect(problems(['log.segment.bytes', '12'])).toEqual(['log.segment.bytes=12 is not allowed: Value must be at least 1048576 (allowed: at least 1048576)'])
  expect(problems(['num.partitions', 'many'])).toEqual([
    'num.partitions=many is not allowed: Not a number of type INT (allowed: at least 1)',
  ])
  expect(problems(['auto.create.topics.enable', 'yes'])).toEqual([
    'auto.create.topics.enable=yes is not allowed: Expected value to be either true or false (allowed: true or false)',
  ])
  expect(problems(['log.cleanup.policy', 'shred'])).toEqual([
    "log.cleanup.policy=shred is not allowed: 'shred' must be one of: delete, compact (allowed: a list of delete, compact)",
  ])
})

test('all errors are reported together, missing keys among them', () => {
  const loaded = loadBrokerConfig(new Map([['num.partitions', '0']]))
  expect(loaded.ok ? [] : loaded.error.map((error) => error.key)).toEqual(['process.roles', 'node.id', 'num.partitions'])
})

test('0.0.0.0 is refused as an advertised address, with what to write instead', () => {
  const [problem] = problems(['listeners', 'PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9192'], ['advertised.listeners', 'PLAINTEXT://0.0.0.0:9092'])
  expect(problem).toContain('clients cannot connect to 0.0.0.0; write the name or address')
  expect(problem).toContain('for example PLAINTEXT://broker1.example.com:9092')
})

test('a wildcard listener is advertised by the name of the machine', () => {
  const layout = layoutOf(load(['listeners', 'PLAINTEXT://:9092,CONTROLLER://127.0.0.1:9192']), 'here')
  expect(layout.ok && layout.value.listeners[0]).toMatchObject({ bindHost: '', advertisedHost: 'here', advertisedPort: 9092 })
})

test('HTTP goes to the port of the first listener minus 1000 unless it is set', () => {
  const http = (config: BrokerConfig): unknown => {
    const layout = layoutOf(config, 'here')
    return layout.ok && layout.value.http
  }
  expect(http(load())).toEqual({ host: '127.0.0.1', port: 8092 })
  expect(http(load(['kavka.http.port', '0']))).toEqual({ host: '127.0.0.1', port: 0 })
})

test.each([
  [['node.id', '2'], 'it must name this controller, node 2'],
  [['process.roles', 'broker'], 'must have the role controller'],
  [['listeners', 'CONTROLLER://127.0.0.1:9192'], 'a broker needs a listener for clients'],
  [['listeners', 'PLAINTEXT://127.0.0.1:9092'], 'a controller needs a listener of controller.listener.names'],
  [['inter.broker.listener.name', 'INTERNAL'], 'it must be one of the listeners of this broker'],
  [['listeners', 'PLAINTEXT//127.0.0.1:9092'], 'must look like NAME://HOST:PORT'],
  [['controller.quorum.voters', '1@localhost'], 'must look like ID@HOST:PORT'],
  [['controller.quorum.voters', ''], 'must be set'],
  [['listener.security.protocol.map', 'PLAINTEXT:SSL'], 'this version serves PLAINTEXT only'],
  [['broker.id', '7'], 'it must equal node.id=1'],
] as const)('%j is refused', (change, expected) => {
  expect(problems(change).join('\n')).toContain(expected)
})

test('keys without effect and unknown keys give a warning each', () => {
  const loaded = loadBrokerConfig(new Map([...combined, ['num.io.threads', '8'], ['lgo.dirs', 'x']]))
  expect(loaded.ok && loaded.value.warnings).toEqual([
    'num.io.threads is accepted for compatibility and has no effect in Kavka',
    'lgo.dirs is not a configuration key that Kafka or Kavka knows; it is ignored',
  ])
})

test.each([
  ['KAFKA_LOG_DIRS', 'log.dirs'],
  ['KAFKA_ABC__DEF', 'abc_def'],
  ['KAFKA_ABC___DEF', 'abc-def'],
  ['KAFKA_LISTENER_NAME_SASL__PLAINTEXT_SCRAM___SHA___256_SASL_JAAS_CONFIG', 'listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config'],
  ['KAFKA_LISTENER_NAME_PLAIN_KAFKA_X', 'listener.name.plain.kafka.x'],
  ['KAFKA_CFG_NODE_ID', 'node.id'],
])('%s sets %s', (variable, property) => {
  expect(propertyNameOfVariable(variable)).toBe(property)
})

test('listeners default to every interface of the advertised ports', () => {
  const properties = propertiesOfEnvironment({ KAFKA_ADVERTISED_LISTENERS: 'A://b1:19092,B://localhost:9092', HOME: '/', CLUSTER_ID: 'x' })
  expect(Object.fromEntries(properties)).toEqual({
    'advertised.listeners': 'A://b1:19092,B://localhost:9092',
    listeners: 'A://0.0.0.0:19092,B://0.0.0.0:9092',
    'kavka.cluster.id': 'x',
  })
})

test('properties files have the syntax of Java', () => {
  const properties = parseProperties('# c\n! d\na = 1\nb:2\nc 3\nlist=x,\\\n  y\nu=\\u00e9\n')
  expect(Object.fromEntries(properties)).toEqual({ a: '1', b: '2', c: '3', list: 'x,y', u: 'é' })
})

test('a topic obeys its override, then the dynamic default, then the file, then the default', () => {
  const broker = load(['log.retention.hours', '2'], ['min.insync.replicas', '2'])
  expect(resolveTopicConfig(broker, new Map(), new Map())).toMatchObject({
    retentionMs: 7_200_000, minInsyncReplicas: 2, flushMessages: 1, flushMs: LONG_MAX, segmentMs: 604_800_000,
  })
  const dynamic = new Map([['log.retention.ms', '5000'], ['min.insync.replicas', '1']])
  expect(resolveTopicConfig(broker, dynamic, new Map([['min.insync.replicas', '3']]))).toMatchObject({
    retentionMs: 5000, minInsyncReplicas: 3,
  })
  expect(resolveTopicConfig(load(['log.retention.minutes', '-1']), new Map(), new Map()).retentionMs).toBe(-1)
})

test('topic values are validated with a sentence', () => {
  expect(validateTopicConfig('retention.ms', '-1')).toBeNull()
  expect(validateTopicConfig('retention.ms', '-2')).toBe('Invalid value -2 for configuration retention.ms: Value must be at least -1')
  expect(validateTopicConfig('retention', '1')).toBe('Unknown topic config name: retention')
  expect(validateTopicConfig('cleanup.policy', 'compact,delete')).toBeNull()
  expect(validateTopicConfig('flush.messages', '9223372036854775807')).toBeNull()
})
