/** Configs of single groups (kafka-configs --entity-type groups). */
export interface GroupConfigKey {
  readonly name: string
  readonly type: 'INT' | 'STRING' | 'BOOLEAN' | 'LIST'
  readonly default: string
  problemOf(value: string): string | null
}

export const groupConfigKeys: readonly GroupConfigKey[] = [
  int('consumer.assignment.interval.ms', 1000, 0),
  int('consumer.heartbeat.interval.ms', 5000, 1),
  int('consumer.session.timeout.ms', 45_000, 1),
  int('share.assignment.interval.ms', 1000, 0),
  pattern(
    'share.auto.offset.reset',
    'latest',
    /^(latest|earliest|by_duration:P(?=[\dT])(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)$/,
  ),
  int('share.delivery.count.limit', 5, 2),
  int('share.heartbeat.interval.ms', 5000, 1),
  pattern('share.isolation.level', 'read_uncommitted', /^read_(un)?committed$/),
  int('share.partition.max.record.locks', 2000, 100),
  int('share.record.lock.duration.ms', 30_000, 1000),
  { ...pattern('share.renew.acknowledge.enable', 'true', /^(true|false)$/i), type: 'BOOLEAN' },
  int('share.session.timeout.ms', 45_000, 1),
  int('streams.assignment.interval.ms', 1000, 0),
  int('streams.heartbeat.interval.ms', 5000, 1),
  int('streams.initial.rebalance.delay.ms', 3000, 0),
  int('streams.num.standby.replicas', 0, 0),
  int('streams.session.timeout.ms', 45_000, 1),
]

const byName: ReadonlyMap<string, GroupConfigKey> = new Map(groupConfigKeys.map((key) => [key.name, key]))

export function groupConfigKey(name: string): GroupConfigKey | null {
  return byName.get(name) ?? null
}

/** Null when the value may be set on a group, else the sentence that says why not. */
export function validateGroupConfig(name: string, value: string): string | null {
  const key = byName.get(name)
  return key === undefined ? `Unknown group config name: ${name}` : key.problemOf(value)
}

function int(name: string, defaultValue: number, min: number): GroupConfigKey {
  const problemOf = (value: string): string | null => {
    const number = /^[+-]?\d+$/.test(value.trim()) ? Number(value) : NaN
    if (Number.isNaN(number) || Math.abs(number) >= 2 ** 31)
      return `Invalid value ${value} for configuration ${name}: not a number of type INT`
    return number >= min
      ? null
      : `Invalid value ${value} for configuration ${name}: it must be at least ${min}`
  }
  return { name, type: 'INT', default: String(defaultValue), problemOf }
}

function pattern(name: string, defaultValue: string, allowed: RegExp): GroupConfigKey {
  const problemOf = (value: string): string | null => {
    return allowed.test(value.trim()) ? null : `Invalid value ${value} for configuration ${name}`
  }
  return { name, type: 'STRING', default: defaultValue, problemOf }
}
