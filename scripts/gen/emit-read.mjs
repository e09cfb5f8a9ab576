/** Decoding functions: straight-line code, the version tested only where the encoding changes with it. */
import { defaultExpression } from './emit-defaults.mjs'
import { elementBytesMin, isFlexible } from './model.mjs'
import { pieces, piecewiseExpression } from './versions.mjs'

export function emitRead(model, struct) {
  const lines = [`function read${struct.typeName}(r: Reader, v: number): ${struct.typeName} {`]
  if (struct.fields.some((field) => field.usedIn.some((version) => needsCount(field, version))))
    lines.push('  let n = 0')
  for (const field of struct.fields) lines.push(...readPlain(model, struct, field))
  lines.push(
    ...readTags(model, struct),
    ...returnLines(
      struct,
      struct.versions.some((v) => isFlexible(model, v)),
    ),
  )
  const body = lines.join('\n')
  return [unusedVersion(body), '}', ''].join('\n')
}

function unusedVersion(body) {
  const [head, ...rest] = body.split('\n')
  const used = (name) => rest.some((line) => new RegExp(`\\b${name}\\b`).test(line))
  return [
    head
      .replace('r: Reader', used('r') ? 'r: Reader' : '_r: Reader')
      .replace('v: number', used('v') ? 'v: number' : '_v: number'),
    ...rest,
  ].join('\n')
}

function returnLines(struct, flexible) {
  const properties = struct.fields.map((f) =>
    f.property === f.local ? f.property : `${f.property}: ${f.local}`,
  )
  const literal = properties.length === 0 ? '{}' : wrapLiteral(properties)
  if (!flexible) return [`  return ${literal}`]
  if (properties.length === 0) return ['  return unknownTags === undefined ? {} : { unknownTags }']
  return [
    '  if (unknownTags !== undefined) {',
    `    return ${wrapLiteral([...properties, 'unknownTags']).replaceAll('\n', '\n  ')}`,
    '  }',
    `  return ${literal}`,
  ]
}

function wrapLiteral(properties) {
  const flat = `{ ${properties.join(', ')} }`
  return flat.length <= 90 ? flat : `{\n${properties.map((one) => `    ${one},`).join('\n')}\n  }`
}

/**
 * A field that is never tagged is a const; one that is starts at its default and is filled by the tag
 * section.
 */
function readPlain(model, struct, field) {
  const type = fieldType(field)
  const tagged = field.usedIn.some(field.isTagged)
  return [`  ${tagged ? 'let' : 'const'} ${field.local}: ${type} = ${readExpression(model, struct, field)}`]
}

function readExpression(model, struct, field) {
  const inBody = field.usedIn.filter((version) => !field.isTagged(version))
  const shared = sharedArrayRead(model, field, inBody)
  const { text } = piecewiseExpression(struct.versions, (version) => {
    if (!inBody.includes(version)) return defaultExpression(field)
    return shared ?? readValue(model, field, version)
  })
  return text
}

/** Arrays that are never null differ between versions only in how their count is read. */
function sharedArrayRead(model, field, versions) {
  if (!field.isArray || field.element === 'string' || versions.length === 0) return null
  if (versions.some(field.isNullable)) return null
  const { text } = piecewiseExpression(versions, (version) => readCount(model, field, version))
  return readElements(field, false, text)
}

function needsCount(field, version) {
  return field.isArray && field.isNullable(version)
}

/** Expression that reads the field's value in one version. */
function readValue(model, field, version) {
  const compact = field.isCompact(version)
  const nullable = field.isNullable(version)
  if (field.isArray) return readArray(model, field, version, compact, nullable)
  if (field.isStruct) return readStruct(field, version, nullable)
  if (field.element === 'string') return `r.${methodName('String', compact, nullable)}()`
  if (field.element === 'bytes' || field.element === 'records')
    return `r.${methodName('Bytes', compact, nullable)}()`
  return `r.${field.element}()`
}

function methodName(base, compact, nullable) {
  const name = `${compact ? 'Compact' : ''}${nullable ? 'Nullable' : ''}${base}`
  return name[0].toLowerCase() + name.slice(1)
}

/** Null is marked by an int8 (-1), inside a tagged field by an unsigned varint (0). */
function readStruct(field, version, nullable) {
  const read = `read${field.typeName}(r, v)`
  if (!nullable) return read
  return field.isTagged(version)
    ? `(r.unsignedVarint() === 0 ? null : ${read})`
    : `(r.int8() < 0 ? null : ${read})`
}

function readArray(model, field, version, compact, nullable) {
  const count = readCount(model, field, version)
  if (!nullable) return readElements(field, compact, count)
  return `((n = ${count}) < 0 ? null : ${readElements(field, compact, 'n')})`
}

function readCount(model, field, version) {
  const method = methodName('ArrayCount', field.isCompact(version), field.isNullable(version))
  return `r.${method}(${elementBytesMin(model, field, version)})`
}

function readElements(field, compact, count) {
  if (field.isStruct) return `read${field.typeName}List(r, v, ${count})`
  return `r.${elementMethod(field.element, compact)}(${count})`
}

function elementMethod(element, compact) {
  if (element === 'string') return compact ? 'compactStrings' : 'strings'
  return `${element}s`
}

export function emitReadList(struct) {
  return [
    `function read${struct.typeName}List(r: Reader, v: number, count: number): ${struct.typeName}[] {`,
    `  const list: ${struct.typeName}[] = []`,
    `  for (let i = 0; i < count; i++) list.push(read${struct.typeName}(r, v))`,
    '  return list',
    '}',
    '',
  ].join('\n')
}

function readTags(model, struct) {
  const flexible = struct.versions.filter((version) => isFlexible(model, version))
  if (flexible.length === 0) return []
  const tagged = struct.fields.filter((field) =>
    flexible.some((v) => field.usedIn.includes(v) && field.isTagged(v)),
  )
  const always = flexible.length === struct.versions.length
  if (tagged.length === 0) {
    return [
      `  const unknownTags = ${always ? 'r.unknownTags()' : `v >= ${flexible[0]} ? r.unknownTags() : undefined`}`,
    ]
  }
  const indent = always ? '  ' : '    '
  const lines = ['  let unknownTags: UnknownTag[] | undefined']
  if (!always) lines.push(`  if (v >= ${flexible[0]}) {`)
  lines.push(`${indent}for (let tags = r.unsignedVarint(); tags > 0; tags--) {`)
  lines.push(...tagSwitch(model, struct, tagged).map((line) => `${indent}  ${line}`), `${indent}}`)
  if (!always) lines.push('  }')
  return lines
}

function tagSwitch(model, struct, tagged) {
  const lines = ['const tag = r.unsignedVarint()', 'const end = r.tagEnd()', 'switch (tag) {']
  for (const field of [...tagged].sort((a, b) => a.tag - b.tag)) {
    lines.push(`  case ${field.tag}:`, ...tagCase(model, struct, field).map((line) => `    ${line}`))
  }
  lines.push('  default:', '    unknownTags = r.unknownTag(unknownTags, tag, end)', '}', 'r.finishTag(end)')
  return lines
}

/** A known tag in a version that does not have it yet is an error, as in Kafka. */
function tagCase(model, struct, field) {
  const flexible = struct.versions.filter((version) => isFlexible(model, version))
  const runs = pieces(flexible, (version) =>
    field.usedIn.includes(version) && field.isTagged(version) ? readValue(model, field, version) : '',
  )
  const lines = []
  const first = runs.find((run) => run.value !== '')
  if (first.from > flexible[0])
    lines.push(`if (v < ${first.from}) r.fail('${field.property} is no tag of this version')`)
  const present = runs.filter((run) => run.value !== '')
  if (present.length > 1 || present[0].to < flexible.at(-1))
    throw new Error(`${field.name}: tag with several encodings`)
  return [...lines, `${field.local} = ${first.value}`, 'break']
}

export function fieldType(field) {
  const suffix = field.everNullable ? ' | null' : ''
  const element = elementType(field)
  return (field.isArray ? `readonly ${element}[]` : element) + suffix
}

function elementType(field) {
  if (field.isStruct) return field.typeName
  if (field.element === 'bool') return 'boolean'
  if (field.element === 'string') return 'string'
  if (field.element === 'uuid') return 'Uuid'
  if (field.element === 'bytes' || field.element === 'records') return 'Buffer'
  return 'number'
}
