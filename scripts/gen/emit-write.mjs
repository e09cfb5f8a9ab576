/**
 * Encoding functions. A missing property has its default; one that the version lacks must have it or be
 * ignorable.
 */
import { differsFromDefault, valueOrDefault } from './emit-defaults.mjs'
import { isFlexible } from './model.mjs'
import { piecewiseStatements } from './versions.mjs'

export function emitWrite(model, struct) {
  const lines = []
  for (const field of struct.fields) {
    const statements = piecewiseStatements(struct.versions, (version) => plainStatements(field, version))
    const inTags = field.usedIn.some(field.isTagged)
    if (statements.length > 0 || inTags) lines.push(`const ${field.local} = ${valueOrDefault(field)}`)
    lines.push(...statements)
  }
  lines.push(...piecewiseStatements(struct.versions, (version) => tagStatements(model, struct, version)))
  const body = lines.map((line) => `  ${line}`).join('\n')
  const name = (word) => (new RegExp(`\\b${word}\\b`).test(body) ? word : `_${word}`)
  const type = `Encodable<${struct.typeName}>`
  return `function write${struct.typeName}(${name('w')}: Writer, ${name('x')}: ${type}, ${name('v')}: number): void {\n${body}\n}\n`
}

export function emitWriteList(struct) {
  return [
    `function write${struct.typeName}List(w: Writer, list: readonly Encodable<${struct.typeName}>[], v: number): void {`,
    `  for (const item of list) write${struct.typeName}(w, item, v)`,
    '}',
    '',
  ].join('\n')
}

function plainStatements(field, version) {
  if (!field.usedIn.includes(version)) {
    return field.ignorable ? [] : [`if (${differsFromDefault(field)}) w.lacks('${field.property}', v)`]
  }
  return field.isTagged(version) ? [] : writeValue(field, version)
}

/** Statements that write the value that the local holds. */
function writeValue(field, version) {
  const compact = field.isCompact(version)
  const nullable = field.isNullable(version)
  if (field.isArray)
    return orNull(field, version, writeArray(field, compact), compact ? 'w.unsignedVarint(0)' : 'w.int32(-1)')
  if (field.isStruct) return writeStruct(field, version)
  if (field.element === 'string') return [`w.${methodName('String', compact, nullable)}(${field.local})`]
  if (field.element === 'bytes' || field.element === 'records')
    return [`w.${methodName('Bytes', compact, nullable)}(${field.local})`]
  return [`w.${field.element}(${field.local})`]
}

function methodName(base, compact, nullable) {
  const name = `${compact ? 'Compact' : ''}${nullable ? 'Nullable' : ''}${base}`
  return name[0].toLowerCase() + name.slice(1)
}

function orNull(field, version, statements, writeNull) {
  if (!field.everNullable) return statements
  const onNull = field.isNullable(version) ? writeNull : `w.nullNotAllowed('${field.property}', v)`
  return [`if (${field.local} === null) ${onNull}`, 'else {', ...statements.map((line) => `  ${line}`), '}']
}

function writeArray(field, compact) {
  const count = compact ? `w.unsignedVarint(${field.local}.length + 1)` : `w.int32(${field.local}.length)`
  if (field.isStruct) return [count, `write${field.typeName}List(w, ${field.local}, v)`]
  const method = field.element === 'string' ? (compact ? 'compactStrings' : 'strings') : `${field.element}s`
  return [count, `w.${method}(${field.local})`]
}

function writeStruct(field, version) {
  const write = `write${field.typeName}(w, ${field.local}, v)`
  if (!field.isNullable(version)) return orNull(field, version, [write], '')
  const [absent, present] = field.isTagged(version)
    ? ['w.unsignedVarint(0)', 'w.unsignedVarint(1)']
    : ['w.int8(-1)', 'w.int8(1)']
  return orNull(field, version, [present, write], absent)
}

function tagStatements(model, struct, version) {
  if (!isFlexible(model, version)) return []
  const tagged = struct.fields.filter((field) => field.usedIn.includes(version) && field.isTagged(version))
  if (tagged.length === 0) return ['w.unknownTagsOnly(x.unknownTags)']
  tagged.sort((a, b) => a.tag - b.tag)
  const lines = ['const unknown = x.unknownTags ?? NO_UNKNOWN_TAGS', 'let tags = unknown.length']
  for (const field of tagged) lines.push(`if (${differsFromDefault(field)}) tags++`)
  lines.push('w.unsignedVarint(tags)', 'let next = 0')
  for (const field of tagged) lines.push(...oneTag(field, version))
  lines.push('w.unknownTags(unknown, next, Number.MAX_SAFE_INTEGER)')
  return lines
}

function oneTag(field, version) {
  return [
    `next = w.unknownTags(unknown, next, ${field.tag})`,
    `if (${differsFromDefault(field)}) {`,
    `  const start = w.beginTag(${field.tag})`,
    ...writeValue(field, version).map((line) => `  ${line}`),
    '  w.endTag(start)',
    '}',
  ]
}

/**
 * Structs whose equality with their default someone asks for: those that stand alone, and what they contain.
 */
export function emitIsDefault(struct) {
  const lines = struct.fields.flatMap((field) => [
    `  const ${field.local} = ${valueOrDefault(field)}`,
    `  if (${differsFromDefault(field)}) return false`,
  ])
  return [
    `function isDefault${struct.typeName}(x: Encodable<${struct.typeName}>): boolean {`,
    ...lines,
    '  return x.unknownTags === undefined || x.unknownTags.length === 0',
    '}',
    '',
  ].join('\n')
}
