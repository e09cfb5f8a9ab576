import type { LogConfig } from '../log-config.ts'

/** The topic settings of a golden case as ours. */
export function configOfGolden(topicConfig: Record<string, string>): Partial<LogConfig> {
  const config: Record<string, unknown> = {}
  const rename: Record<string, (value: string) => [keyof LogConfig, unknown]> = {
    'message.timestamp.type': (value) => ['messageTimestampType', value],
    'compression.type': (value) => ['compressionType', value],
    'message.timestamp.before.max.ms': (value) => ['messageTimestampBeforeMaxMs', Number(value)],
    'cleanup.policy': (value) => ['cleanupPolicy', [value]],
    'max.message.bytes': (value) => ['maxMessageBytes', Number(value)],
  }
  for (const [key, value] of Object.entries(topicConfig)) {
    const [name, converted] = rename[key]!(value)
    config[name] = converted
  }
  return config as Partial<LogConfig>
}
