/** Entity names (users, client ids) as they stand in quota metadata and in metric names. */

const PERCENT_ENCODED = /[^A-Za-z0-9_.~-]/gu
const JMX_SPECIAL = /[,=:"*?]/
const PLAIN_JMX = /^[\w\-%. \t]*$/

/** Percent-encodes everything but letters, digits and `_ . ~ -`, so that the name can stand in a path. */
export function sanitizeName(name: string): string {
  return name.replace(PERCENT_ENCODED, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )
}

/** Undoes `sanitizeName`; null when an escape is broken. */
export function desanitizeName(name: string): string | null {
  try {
    return decodeURIComponent(name)
  } catch {
    return null
  }
}

/** The name as a value of a JMX object name: quoted unless it is made of harmless characters. */
export function jmxSanitize(name: string): string {
  if (PLAIN_JMX.test(name) && !JMX_SPECIAL.test(name)) return name
  const escaped = name.replace(/["*?\\]/g, (character) => `\\${character}`).replaceAll('\n', '\\n')
  return `"${escaped}"`
}
