/** Why a configuration cannot be used: the key, the value found, and what it must be. */
export interface ConfigError {
  readonly key: string
  readonly value: string | null
  readonly problem: string
}

/** One line that names the key, the value and the way out. */
export function describeConfigError({ key, value, problem }: ConfigError): string {
  return value === null ? `${key} ${problem}` : `${key}=${value} is not allowed: ${problem}`
}
