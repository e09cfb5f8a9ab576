import type { Logger as PinoLogger } from 'pino'

/**
 * The logger handed to every shell; a child carries Kafka's logger name (`kafka.server.ReplicaManager`) as `logger`.
 * Cores do not log: what they decide is returned, and the shell that acts on it writes the line.
 */
export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child' | 'level'>

function ignore(): void {}

/** Swallows everything; for tests. */
export const silentLogger: Logger = {
  level: 'silent',
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  fatal: ignore,
  child: (() => silentLogger) as unknown as Logger['child'],
}
