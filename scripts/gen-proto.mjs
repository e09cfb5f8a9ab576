/**
 * Writes packages/transport/src/gen/*.ts from proto/: one TypeScript file a .proto file, types and codecs over protobufjs' minimal reader and writer.
 * `--check` writes nothing and fails when a file on disk differs: what is committed is what the .proto files say.
 *
 * Own generator rather than protobufjs-cli: the code is a third of the size (start-up is paid by every process), types are readonly,
 * enums come out as unions of strings, a oneof as one discriminated union, int64 as a checked number.
 */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const SOURCE = join(ROOT, 'proto/kavka/internal/v1')
const TARGET = join(ROOT, 'packages/transport/src/gen')

/** Its frames are no protobuf: packages/transport/src/replication/frame-codec.ts. */
const LAID_OUT_BY_HAND = 'replication.proto'

const WIRE_TYPES = { int32: 0, sint32: 0, uint32: 0, int64: 0, uint64: 0, sint64: 0, bool: 0, double: 1, string: 2, bytes: 2 }
const WIDE_TYPES = new Set(['int64', 'uint64', 'sint64'])

/** Returns file name → text for every .proto file. */
function generateAll() {
  const files = readdirSync(SOURCE).filter((name) => name.endsWith('.proto') && name !== LAID_OUT_BY_HAND).sort()
  return new Map(files.map((name) => [name.replace('.proto', '.ts'), generate(name)]))
}

function generate(fileName) {
  const parsed = protobuf.parse(readFileSync(join(SOURCE, fileName), 'utf8'), { keepCase: false })
  const root = parsed.root.resolveAll()
  const types = []
  const enums = []
  collect(root, types, enums)
  const used = new Set()
  const body = [
    ...enums.map(enumText),
    ...types.flatMap((type) => [interfaceText(type), encodeText(type, used), decodeText(type, used)]),
  ].join('\n')
  return `${headerText(fileName, used)}\n${body}`
}

function collect(namespace, types, enums) {
  for (const nested of namespace.nestedArray) {
    if (nested instanceof protobuf.Type) types.push(nested)
    if (nested instanceof protobuf.Enum) enums.push(nested)
    if (nested instanceof protobuf.Namespace) collect(nested, types, enums)
  }
}

function headerText(fileName, used) {
  const names = [...used].sort()
  const imports = names.length === 0 ? '' : `import { ${names.join(', ')} } from '../proto-runtime.ts'\n`
  return `// Generated from proto/kavka/internal/v1/${fileName} by scripts/gen-proto.mjs. Do not edit.
import type { Reader, Writer } from 'protobufjs'
${imports}`
}

const lowerFirst = (text) => text[0].toLowerCase() + text.slice(1)

/** Nested types take the name of what encloses them: `Outer.Inner` is `OuterInner`. */
function nameOf(type) {
  return type.parent instanceof protobuf.Type ? nameOf(type.parent) + type.name : type.name
}

/** `ENTRY_KIND_LEADER_CHANGE` of `EntryKind` → `leader-change`; UNSPECIFIED is no value. */
function enumLabels(type) {
  const prefix = `${type.name.replace(/(?<=[a-z0-9])[A-Z]/g, '_$&').toUpperCase()}_`
  return Object.entries(type.values)
    .map(([name, id]) => {
      if (!name.startsWith(prefix)) throw new Error(`${type.name}: ${name} does not begin with ${prefix}`)
      return [name.slice(prefix.length).toLowerCase().replaceAll('_', '-'), id]
    })
    .filter(([label]) => label !== 'unspecified')
}

function enumText(type) {
  const labels = enumLabels(type)
  const name = nameOf(type)
  const constant = lowerFirst(name)
  return `export type ${name} = ${labels.map(([label]) => `'${label}'`).join(' | ')}

const ${constant}Numbers: Readonly<Record<${name}, number>> = { ${labels.map(([label, id]) => `'${label}': ${id}`).join(', ')} }
const ${constant}Labels: ReadonlyMap<number, ${name}> = new Map([${labels.map(([label, id]) => `[${id}, '${label}']`).join(', ')}])
`
}

function isEnum(field) {
  return field.resolvedType instanceof protobuf.Enum
}

function isMessage(field) {
  return field.resolvedType instanceof protobuf.Type
}

function scalarTypeText(type) {
  if (type === 'bool') return 'boolean'
  if (type === 'string') return 'string'
  if (type === 'bytes') return 'Uint8Array'
  return 'number'
}

function elementTypeText(field) {
  return field.resolvedType === null ? scalarTypeText(field.type) : nameOf(field.resolvedType)
}

/** Absent is null where a field can be absent: message fields, those marked optional, and enums whose zero is "unspecified". */
function isNullable(field) {
  if (field.repeated || field.map) return false
  return isMessage(field) || field.options?.proto3_optional === true || (isEnum(field) && zeroLabel(field.resolvedType) === undefined)
}

function zeroLabel(type) {
  return enumLabels(type).find(([, id]) => id === 0)?.[0]
}

function fieldTypeText(field) {
  if (field.map) return `ReadonlyMap<${scalarTypeText(field.keyType)}, ${elementTypeText(field)}>`
  if (field.repeated) return `readonly ${elementTypeText(field)}[]`
  return elementTypeText(field) + (isNullable(field) ? ' | null' : '')
}

function plainFields(type) {
  return type.fieldsArray.filter((field) => !isUnionMember(field))
}

function isUnionMember(field) {
  return field.partOf !== null && field.options?.proto3_optional !== true
}

function unions(type) {
  return type.oneofsArray.filter((oneof) => oneof.fieldsArray.some(isUnionMember))
}

function interfaceText(type) {
  const lines = plainFields(type).map((field) => `  readonly ${field.name}: ${fieldTypeText(field)}`)
  for (const oneof of unions(type)) {
    lines.push(`  readonly ${oneof.name}:`)
    for (const field of oneof.fieldsArray) {
      lines.push(`    | { readonly kind: '${field.name}'; readonly value: ${elementTypeText(field)} }`)
    }
    lines.push('    | null')
  }
  if (lines.length === 0) return `export type ${nameOf(type)} = Readonly<Record<string, never>>\n`
  return `export interface ${nameOf(type)} {\n${lines.join('\n')}\n}\n`
}

function isPacked(field) {
  return field.repeated && !isMessage(field) && wireType(field) !== 2
}

function wireType(field) {
  if (isMessage(field)) return 2
  if (isEnum(field)) return 0
  const known = WIRE_TYPES[field.type]
  if (known === undefined) throw new Error(`${field.fullName}: type ${field.type} is not supported; use int32, int64, bool, double, string or bytes`)
  return known
}

function tagOf(id, wire) {
  return ((id << 3) | wire) >>> 0
}

/** A statement that writes tag and value. */
function writeText(field, value) {
  const tag = `writer.uint32(${tagOf(field.id, wireType(field))})`
  if (isMessage(field)) return `encode${nameOf(field.resolvedType)}(${value}, ${tag}.fork()).ldelim()`
  if (isEnum(field)) return `${tag}.int32(${lowerFirst(nameOf(field.resolvedType))}Numbers[${value}])`
  return `${tag}.${field.type}(${value})`
}

function notDefaultText(field, value) {
  if (isEnum(field)) return `${lowerFirst(nameOf(field.resolvedType))}Numbers[${value}] !== 0`
  if (field.type === 'bool') return value
  if (field.type === 'string') return `${value} !== ''`
  if (field.type === 'bytes') return `${value}.length > 0`
  return `${value} !== 0`
}

function encodeFieldText(field) {
  const value = `message.${field.name}`
  if (field.map) return encodeMapText(field, value)
  if (field.repeated) return encodeListText(field, value)
  const condition = isNullable(field) ? `${value} !== null` : notDefaultText(field, value)
  return `  if (${condition}) ${writeText(field, value)}`
}

function encodeMapText(field, value) {
  const key = `entry.uint32(${tagOf(1, WIRE_TYPES[field.keyType])}).${field.keyType}(key)`
  const element = writeText({ __proto__: field, id: 2, resolvedType: field.resolvedType, type: field.type }, 'element').replace(/^writer/, 'entry').replace('(element, writer', '(element, entry')
  return `  for (const [key, element] of ${value}) {
    const entry = writer.uint32(${tagOf(field.id, 2)}).fork()
    ${key}
    ${element}
    entry.ldelim()
  }`
}

/** Numbers are packed, as proto3 has it. */
function encodeListText(field, value) {
  if (!isPacked(field)) return `  for (const element of ${value}) ${writeText(field, 'element')}`
  const element = isEnum(field) ? `int32(${lowerFirst(nameOf(field.resolvedType))}Numbers[element])` : `${field.type}(element)`
  return `  if (${value}.length > 0) {
    writer.uint32(${tagOf(field.id, 2)}).fork()
    for (const element of ${value}) writer.${element}
    writer.ldelim()
  }`
}

function encodeUnionText(oneof) {
  const cases = oneof.fieldsArray.map(
    (field) => `    case '${field.name}':\n      ${writeText(field, `message.${oneof.name}.value`)}\n      break`,
  )
  return `  switch (message.${oneof.name}?.kind) {\n${cases.join('\n')}\n    case undefined:\n  }`
}

function encodeText(type) {
  const name = nameOf(type)
  const lines = [...plainFields(type).map(encodeFieldText), ...unions(type).map(encodeUnionText)]
  const parameter = lines.length === 0 ? '_message' : 'message'
  return `export function encode${name}(${parameter}: ${name}, writer: Writer): Writer {\n${lines.join('\n')}${lines.length > 0 ? '\n' : ''}  return writer\n}\n`
}

function readText(field, used) {
  if (isMessage(field)) return `decode${nameOf(field.resolvedType)}(reader, reader.uint32() + reader.pos)`
  if (isEnum(field)) {
    used.add('enumLabel')
    return `enumLabel(${lowerFirst(nameOf(field.resolvedType))}Labels, reader.int32(), '${nameOf(field.resolvedType)}')`
  }
  if (WIDE_TYPES.has(field.type)) {
    used.add('safeInteger')
    return `safeInteger(reader.${field.type}())`
  }
  return `reader.${field.type}()`
}

/** The default of a field that was not on the wire. */
function initialText(field) {
  if (isNullable(field)) return 'null'
  if (isEnum(field)) return `'${zeroLabel(field.resolvedType)}'`
  if (field.type === 'bool') return 'false'
  if (field.type === 'string') return `''`
  if (field.type === 'bytes') return 'NO_BYTES'
  return '0'
}

function declarationText(field, used) {
  if (field.map) return `  const ${field.name} = new Map<${scalarTypeText(field.keyType)}, ${elementTypeText(field)}>()`
  if (field.repeated) return `  const ${field.name}: ${elementTypeText(field)}[] = []`
  const initial = initialText(field)
  if (initial === 'NO_BYTES') used.add('NO_BYTES')
  return `  let ${field.name}: ${elementTypeText(field)}${initial === 'null' ? ' | null' : ''} = ${initial}`
}

function caseText(field, used) {
  if (field.map) return mapCaseText(field, used)
  const tag = tagOf(field.id, wireType(field))
  if (!field.repeated) return `      case ${tag}:\n        ${field.name} = ${readText(field, used)}\n        break`
  used.add('roomFor')
  const push = `roomFor(${field.name}).push(${readText(field, used)})`
  const single = `      case ${tag}:\n        ${push}\n        break`
  if (!isPacked(field)) return single
  return `${single}
      case ${tagOf(field.id, 2)}: {
        const packedEnd = reader.uint32() + reader.pos
        while (reader.pos < packedEnd) ${push}
        break
      }`
}

function mapCaseText(field, used) {
  used.add('roomFor')
  const element = { __proto__: field, id: 2, repeated: false, map: false, resolvedType: field.resolvedType, type: field.type }
  const keyInitial = field.keyType === 'string' ? `''` : '0'
  const initial = isMessage(field) ? 'null' : initialText(element)
  const elementType = `${elementTypeText(field)}${initial === 'null' ? ' | null' : ''}`
  const keyRead = WIDE_TYPES.has(field.keyType) ? (used.add('safeInteger'), `safeInteger(reader.${field.keyType}())`) : `reader.${field.keyType}()`
  const present = initial === 'null' ? (used.add('required'), `required(element, '${field.name}')`) : 'element'
  if (initial === 'NO_BYTES') used.add('NO_BYTES')
  return `      case ${tagOf(field.id, 2)}: {
        const entryEnd = reader.uint32() + reader.pos
        let key: ${scalarTypeText(field.keyType)} = ${keyInitial}
        let element: ${elementType} = ${initial}
        while (reader.pos < entryEnd) {
          const entryTag = reader.uint32()
          if (entryTag === ${tagOf(1, WIRE_TYPES[field.keyType])}) key = ${keyRead}
          else if (entryTag === ${tagOf(2, wireType(element))}) element = ${readText(element, used)}
          else reader.skipType(entryTag & 7)
        }
        roomFor(${field.name}).set(key, ${present})
        break
      }`
}

function unionCaseText(oneof, field, used) {
  return `      case ${tagOf(field.id, wireType(field))}:\n        ${oneof.name} = { kind: '${field.name}', value: ${readText(field, used)} }\n        break`
}

function decodeText(type, used) {
  used.add('exactEnd')
  const name = nameOf(type)
  const fields = plainFields(type)
  const declarations = [
    ...fields.map((field) => declarationText(field, used)),
    ...unions(type).map((oneof) => `  let ${oneof.name}: ${name}['${oneof.name}'] = null`),
  ]
  const cases = [
    ...fields.map((field) => caseText(field, used)),
    ...unions(type).flatMap((oneof) => oneof.fieldsArray.map((field) => unionCaseText(oneof, field, used))),
  ]
  const results = [...fields.map((field) => field.name), ...unions(type).map((oneof) => oneof.name)]
  const step = cases.length === 0
    ? '    reader.skipType(reader.uint32() & 7)'
    : `    const tag = reader.uint32()
    switch (tag) {
${cases.join('\n')}
      default:
        reader.skipType(tag & 7)
    }`
  return `export function decode${name}(reader: Reader, end: number): ${name} {
${declarations.join('\n')}${declarations.length > 0 ? '\n' : ''}  while (reader.pos < end) {
${step}
  }
  exactEnd(reader, end)
  return { ${results.join(', ')} }
}
`.replace('{  }', '{}')
}

function main() {
  const generated = generateAll()
  const stale = []
  for (const [name, text] of generated) {
    const path = join(TARGET, name)
    if (currentText(path) === text) continue
    stale.push(name)
    if (!process.argv.includes('--check')) writeFileSync(path, text)
  }
  for (const name of readdirSync(TARGET)) {
    if (generated.has(name)) continue
    stale.push(name)
    if (!process.argv.includes('--check')) rmSync(join(TARGET, name))
  }
  if (process.argv.includes('--check') && stale.length > 0) {
    console.error(`out of date: ${stale.map((name) => basename(name)).join(', ')}; run node scripts/gen-proto.mjs`)
    process.exitCode = 1
  }
}

function currentText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

main()
