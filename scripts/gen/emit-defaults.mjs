/** Defaults: the values of fields that a version lacks, and the tests whether a value is one. */

const NUMBERS = new Set(['int8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'float64'])

/** A TypeScript expression for the default of the field. */
export function defaultExpression(field) {
  const text = field.defaultText
  if (text === 'null' || (field.element === 'records' && field.everNullable && text === null)) return 'null'
  if (field.isArray) return '[]'
  if (field.isStruct) return `default${field.typeName}()`
  if (field.element === 'string') return text === null ? "''" : `'${JSON.parse(text)}'`
  if (field.element === 'bytes' || field.element === 'records') return 'NO_BYTES'
  if (field.element === 'bool') return text ?? 'false'
  if (field.element === 'uuid') return text === null ? 'ZERO_UUID' : `'${text}' as Uuid`
  if (NUMBERS.has(field.element)) return numberText(field, text)
  throw new Error(`no default for ${field.name}`)
}

/** An int64 beyond the safe integers becomes its nearest double: it is only compared, never written. */
function numberText(field, text) {
  if (text === null) return '0'
  return field.element === 'float64'
    ? String(Number(text))
    : String(Number(BigInt(text.replace(/^-/, '')) * (text.startsWith('-') ? -1n : 1n)))
}

/** The default as an encoder uses it: a missing struct is an empty object. */
export function encodableDefault(field) {
  if (field.isStruct && !field.isArray && field.defaultText !== 'null') return '{}'
  return defaultExpression(field)
}

/** The local that holds the field's value or its default while encoding. */
export function valueOrDefault(field) {
  const fallback = encodableDefault(field)
  if (!field.everNullable || fallback === 'null') return `x.${field.property} ?? ${fallback}`
  return `x.${field.property} === undefined ? ${fallback} : x.${field.property}`
}

/** Expression that is true when the local differs from the default. */
export function differsFromDefault(field) {
  const { local } = field
  if (defaultExpression(field) === 'null') return `${local} !== null`
  if (field.isArray || field.element === 'bytes' || field.element === 'records') {
    return field.everNullable ? `(${local} === null || ${local}.length !== 0)` : `${local}.length !== 0`
  }
  if (field.isStruct) {
    const test = `!isDefault${field.typeName}(${local})`
    return field.everNullable ? `(${local} === null || ${test})` : test
  }
  if (field.element === 'bool') return defaultExpression(field) === 'true' ? `!${local}` : local
  return `${local} !== ${defaultExpression(field)}`
}
