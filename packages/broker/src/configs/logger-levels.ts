/** The loggers of this node by Kafka's names, and their levels: what `kafka-configs --entity-type broker-loggers` shows and changes. */
import type { Logger } from '@kavka/kernel'

/** The name of the logger that all others inherit from, as log4j calls it in this API. */
export const ROOT_LOGGER = 'root'

const levelByLog4jName: ReadonlyMap<string, string> = new Map([
  ['TRACE', 'trace'], ['DEBUG', 'debug'], ['INFO', 'info'], ['WARN', 'warn'], ['ERROR', 'error'], ['FATAL', 'fatal'],
])

export class LoggerLevels {
  readonly #root: Logger
  readonly #children = new Map<string, Logger>()
  readonly #overridden = new Set<string>()

  constructor(root: Logger) {
    this.#root = root
  }

  /** The logger of that name; the same one each time. */
  get(name: string): Logger {
    const known = this.#children.get(name)
    if (known !== undefined) return known
    const child = this.#root.child({ logger: name })
    this.#children.set(name, child)
    return child
  }

  has(name: string): boolean {
    return name === ROOT_LOGGER || this.#children.has(name)
  }

  /** Names with the level in log4j's words. */
  levels(): ReadonlyMap<string, string> {
    const levels = new Map([[ROOT_LOGGER, log4jName(this.#root.level)]])
    for (const [name, logger] of this.#children) levels.set(name, log4jName(logger.level))
    return levels
  }

  /** False for a word that is no level. */
  static isLevel(word: string): boolean {
    return levelByLog4jName.has(word.toUpperCase())
  }

  set(name: string, word: string): void {
    const level = levelByLog4jName.get(word.toUpperCase())!
    if (name === ROOT_LOGGER) return this.#setRoot(level)
    this.#overridden.add(name)
    this.get(name).level = level
  }

  /** Back to what the root says; the root itself cannot be reset. */
  reset(name: string): void {
    this.#overridden.delete(name)
    this.get(name).level = this.#root.level
  }

  #setRoot(level: string): void {
    this.#root.level = level
    for (const [name, logger] of this.#children) if (!this.#overridden.has(name)) logger.level = level
  }
}

function log4jName(level: string): string {
  for (const [name, pinoName] of levelByLog4jName) if (pinoName === level) return name
  return 'FATAL'
}
