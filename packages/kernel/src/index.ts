export { assert, assertNever, assertPresent, AssertionError } from './assert.ts'
export type { Brand } from './brand.ts'
export { success, failure } from './result.ts'
export type { Result } from './result.ts'
export { every, sleep } from './time.ts'
export type { Clock, Scheduler, TimerHandle } from './time.ts'
export { systemScheduler } from './system-scheduler.ts'
export { seededRandom } from './random.ts'
export type { Random } from './random.ts'
export { systemRandom } from './system-random.ts'
export { isDiskError, replaceFileDurably } from './file-system.ts'
export type { File, FileMode, FileSystem } from './file-system.ts'
export { nodeFileSystem } from './node-file-system.ts'
export type { KeyValueStore, KeyValueWrite } from './key-value-store.ts'
export { silentLogger } from './logging.ts'
export type { Logger } from './logging.ts'
export {
  LONG_MAX, brokerConfigKeys, brokerSynonymsOf, describeConfigError, layoutOf, loadBrokerConfig, parseListener, parseProperties,
  parseProtocolMap, parseVoter, propertiesOfEnvironment, propertyNameOf, propertyNameOfVariable, resolveTopicConfig, rowsOf,
  topicConfigKey, topicConfigKeys, validateTopicConfig,
} from './config/index.ts'
export type {
  AnyConfigKey, BrokerConfig, ConfigError, ConfigImportance, ConfigKey, ConfigScope, ConfigType, ConfigValues, ListenerAddress,
  ListenerLayout, LoadedBrokerConfig, NodeLayout, QuorumVoter, SecurityProtocol, TopicConfig,
} from './config/index.ts'
export { createMetrics } from './metrics/metrics.ts'
export type { Counter, CounterFamily, GaugeSample, MetricSpec, Metrics, Summary, SummaryFamily } from './metrics/metrics.ts'
