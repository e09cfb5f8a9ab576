/**
 * Turns a parsed schema into what the emitters need: the structs in order of use, each with the versions in
 * which
 * it can occur, and for every field and version its encoding.
 */
import { includes, piecewiseExpression, versionsOf } from './versions.mjs'

const FIXED_BYTES = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}
const RESERVED = new Set([
  'r',
  'w',
  'v',
  'n',
  'x',
  'default',
  'delete',
  'new',
  'package',
  'class',
  'function',
])

export function lowerFirst(name) {
  return name[0].toLowerCase() + name.slice(1)
}

export function buildModel(schema) {
  const model = { schema, name: schema.name, structs: new Map(), versions: versionsOf(schema.versions) }
  const declared = new Map(schema.structs.map((struct) => [struct.name, struct.fields]))
  addStruct(model, schema.name, schema.name, schema.fields, model.versions, declared)
  return model
}

/** A struct that several fields use gets the versions of all of them. */
function addStruct(model, key, typeName, fields, versions, declared) {
  const known = model.structs.get(key)
  if (known !== undefined) {
    const all = new Set([...known.versions, ...versions])
    if (all.size === known.versions.length) return
    known.versions = [...all].sort((a, b) => a - b)
  } else {
    model.structs.set(key, { typeName, fields: [], versions, isTop: key === model.name })
  }
  const struct = model.structs.get(key)
  struct.fields = fields.map((field) => resolveField(model, field, struct.versions, declared))
}

function resolveField(model, field, versions, declared) {
  const isArray = field.type.startsWith('[]')
  const element = isArray ? field.type.slice(2) : field.type
  const isStruct = !(element in FIXED_BYTES) && !['string', 'bytes', 'records'].includes(element)
  const usedIn = versions.filter((version) => includes(field.versions, version))
  const property = lowerFirst(field.name)
  const resolved = {
    ...field,
    isArray,
    element,
    isStruct,
    property,
    usedIn,
    local: RESERVED.has(property) ? `${property}_` : property,
    isNullable: (version) => includes(field.nullable, version),
    isTagged: (version) => includes(field.tagged, version),
    isCompact: (version) => includes(model.schema.flexible, version) && !field.neverFlexible,
  }
  resolved.everNullable = usedIn.some(resolved.isNullable)
  if (isStruct) {
    resolved.typeName = model.name + element
    const inner = field.fields ?? declared.get(element)
    if (inner === undefined) throw new Error(`${model.name}: no struct ${element}`)
    addStruct(model, element, resolved.typeName, inner, usedIn, declared)
  }
  return resolved
}

export function isFlexible(model, version) {
  return includes(model.schema.flexible, version)
}

/** Fewest bytes that a value of the field takes in a version, for the check of declared counts. */
function fieldBytesMin(model, field, version) {
  if (field.isTagged(version)) return 0
  const compact = field.isCompact(version)
  if (field.isArray || field.element === 'bytes' || field.element === 'records') return compact ? 1 : 4
  if (field.element === 'string') return compact ? 1 : 2
  if (!field.isStruct) return FIXED_BYTES[field.element]
  return field.isNullable(version) ? 1 : structBytesMin(model, model.structs.get(field.element), version)
}

export function structBytesMin(model, struct, version) {
  const present = struct.fields.filter((field) => field.usedIn.includes(version))
  const bytes = present.reduce((sum, field) => sum + fieldBytesMin(model, field, version), 0)
  return bytes + (isFlexible(model, version) ? 1 : 0)
}

/** Expression for the fewest bytes of one element of an array field. */
export function elementBytesMin(model, field, version) {
  if (field.element === 'string') return field.isCompact(version) ? 1 : 2
  if (!field.isStruct) return FIXED_BYTES[field.element]
  return structBytesMin(model, model.structs.get(field.element), version)
}

export { piecewiseExpression }
