/** What `kafka-configs --entity-type groups` may set (KIP-848, KIP-932, KIP-1071); kept and shown for the group protocols that read them. */
import { failure, success } from '@kavka/kernel'
import type { AnyConfigKey, ConfigType, Result } from '@kavka/kernel'

function group(name: string, type: ConfigType, initial: unknown, doc: string, parse: (text: string) => Result<unknown, string>): AnyConfigKey {
  return {
    name, type, default: initial, allowed: '', importance: 'MEDIUM', scope: 'topic', doc, parse,
    format: (value) => (value === null ? null : String(value)),
  }
}

function wholeNumber(name: string, initial: number, min: number, doc: string): AnyConfigKey {
  return group(name, 'INT', initial, doc, (text) => {
    const value = Number(text)
    const isValid = /^-?\d+$/.test(text.trim()) && value >= min && value < 2 ** 31
    return isValid ? success(value) : failure(`it must be a whole number at least ${min}`)
  })
}

function word(name: string, initial: string, pattern: RegExp, doc: string): AnyConfigKey {
  return group(name, 'STRING', initial, doc, (text) => (pattern.test(text) ? success(text) : failure('it is not one of the allowed words')))
}

export const groupConfigKeys: readonly AnyConfigKey[] = [
  wholeNumber('consumer.assignment.interval.ms', 1000, 0, 'Shortest time between two assignments of a consumer group.'),
  wholeNumber('consumer.heartbeat.interval.ms', 5000, 1, 'How often members of a consumer group report.'),
  wholeNumber('consumer.session.timeout.ms', 45000, 1, 'Silence after which a member of a consumer group is removed.'),
  wholeNumber('share.assignment.interval.ms', 1000, 0, 'Shortest time between two assignments of a share group.'),
  word('share.auto.offset.reset', 'latest', /^(latest|earliest|by_duration:P.+)$/, 'Where a share group begins.'),
  wholeNumber('share.delivery.count.limit', 5, 2, 'Deliveries of a record to a share group before it is given up.'),
  wholeNumber('share.heartbeat.interval.ms', 5000, 1, 'How often members of a share group report.'),
  word('share.isolation.level', 'read_uncommitted', /^read_(un)?committed$/, 'Which records a share group reads.'),
  wholeNumber('share.partition.max.record.locks', 2000, 100, 'Records of a partition that may be acquired at once.'),
  wholeNumber('share.record.lock.duration.ms', 30000, 1000, 'How long an acquired record is locked.'),
  group('share.renew.acknowledge.enable', 'BOOLEAN', true, 'Whether locks may be renewed.', (text) =>
    /^(true|false)$/i.test(text) ? success(text.toLowerCase() === 'true') : failure('it must be true or false'),
  ),
  wholeNumber('share.session.timeout.ms', 45000, 1, 'Silence after which a member of a share group is removed.'),
  wholeNumber('streams.assignment.interval.ms', 1000, 0, 'Shortest time between two assignments of a streams group.'),
  wholeNumber('streams.heartbeat.interval.ms', 5000, 1, 'How often members of a streams group report.'),
  wholeNumber('streams.initial.rebalance.delay.ms', 3000, 0, 'How long the first rebalance of a streams group waits.'),
  wholeNumber('streams.num.standby.replicas', 0, 0, 'Standby copies of each task.'),
  wholeNumber('streams.session.timeout.ms', 45000, 1, 'Silence after which a member of a streams group is removed.'),
]
