import { pino } from 'pino'
import type { Logger } from '@kavka/kernel'

const levelByLog4jName = new Map([
  ['OFF', 'silent'], ['FATAL', 'fatal'], ['ERROR', 'error'], ['WARN', 'warn'], ['INFO', 'info'], ['DEBUG', 'debug'], ['TRACE', 'trace'], ['ALL', 'trace'],
])

/** pino to standard error, so that standard output stays for what the user asked to see. Level: KAVKA_LOG_LEVEL or the variable of Kafka's images. */
export function createLogger(environment: Readonly<Record<string, string | undefined>>): Logger {
  const wanted = environment['KAVKA_LOG_LEVEL'] ?? environment['KAFKA_LOG4J_ROOT_LOGLEVEL'] ?? 'INFO'
  const level = levelByLog4jName.get(wanted.toUpperCase()) ?? 'info'
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }))
}
