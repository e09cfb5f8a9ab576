/**
 * Reads the schema notation (`*.kschema`, described in packages/protocol/schema/README.md) into plain
 * objects:
 * { kind, name, apiKey, listeners, versions, flexible, …, fields, structs }.
 */
import { parseVersions } from './versions.mjs'

const KINDS = ['request', 'response', 'header', 'data', 'metadata', 'coordinator-key', 'coordinator-value']
const FLAGS = {
  'latest-version-unstable': 'latestVersionUnstable',
  'cluster-action': 'clusterAction',
  'forwarded-to-controller': 'forwardedToController',
}

export function parseSchema(text, path) {
  const lines = text.split('\n').map((line, index) => ({ text: line.trimEnd(), number: index + 1 }))
  const content = lines.filter((line) => line.text !== '' && !line.text.trimStart().startsWith('#'))
  try {
    return parseLines(content)
  } catch (error) {
    throw new Error(`${path}: ${error.message}`, { cause: error })
  }
}

function parseLines(lines) {
  const [head, ...rest] = lines
  const [kind, name] = head.text.split(' ')
  if (!KINDS.includes(kind)) throw new Error(`unknown kind ${kind}`)
  const schema = {
    kind,
    name,
    apiKey: -1,
    listeners: [],
    versions: null,
    flexible: null,
    fields: [],
    structs: [],
  }
  for (const flag of Object.values(FLAGS)) schema[flag] = false
  const sections = splitSections(rest)
  for (const line of sections.header) readProperty(schema, line)
  for (const section of sections.blocks) readSection(schema, section)
  return schema
}

/** Lines that begin at the margin open a block: `fields` or `struct Name versions`. */
function splitSections(lines) {
  const header = []
  const blocks = []
  for (const line of lines) {
    if (!line.text.startsWith(' ')) blocks.push({ opening: line, lines: [] })
    else if (blocks.length === 0) header.push(line)
    else blocks.at(-1).lines.push(line)
  }
  return { header, blocks }
}

function readProperty(schema, line) {
  const [word, ...values] = line.text.trim().split(/\s+/)
  if (word in FLAGS) schema[FLAGS[word]] = true
  else if (word === 'api-key') schema.apiKey = Number(values[0])
  else if (word === 'listeners') schema.listeners = values
  else if (word === 'versions') schema.versions = parseVersions(values[0])
  else if (word === 'flexible') schema.flexible = parseVersions(values[0])
  else throw new Error(`line ${line.number}: unknown property ${word}`)
}

function readSection(schema, { opening, lines }) {
  const [word, name, versions] = opening.text.split(/\s+/)
  const fields = readFields(lines, 1)
  if (word === 'fields') schema.fields = fields
  else if (word === 'struct') schema.structs.push({ name, versions: parseVersions(versions), fields })
  else throw new Error(`line ${opening.number}: unknown block ${word}`)
}

/** Deeper lines are the fields of the struct that the line above them has as its type. */
function readFields(lines, depth) {
  const fields = []
  for (let index = 0; index < lines.length;) {
    const field = readField(lines[index], depth)
    let next = index + 1
    while (next < lines.length && depthOf(lines[next]) > depth) next++
    const inner = lines.slice(index + 1, next)
    if (inner.length > 0) field.fields = readFields(inner, depth + 1)
    fields.push(field)
    index = next
  }
  return fields
}

function depthOf(line) {
  return (line.text.length - line.text.trimStart().length) / 2
}

function readField(line, depth) {
  if (depthOf(line) !== depth) throw new Error(`line ${line.number}: indentation`)
  const [name, type, versions, ...words] = line.text.trim().match(/"(?:[^"\\]|\\.)*"|\S+/g)
  const field = {
    name,
    type,
    versions: parseVersions(versions),
    nullable: null,
    tag: null,
    tagged: null,
    defaultText: null,
    ignorable: false,
    mapKey: false,
    entity: null,
    neverFlexible: false,
    fields: null,
  }
  while (words.length > 0) readAttribute(field, words, line)
  return field
}

function readAttribute(field, words, line) {
  const word = words.shift()
  if (word === 'nullable') field.nullable = parseVersions(words.shift())
  else if (word === 'default') field.defaultText = words.shift()
  else if (word === 'entity') field.entity = words.shift()
  else if (word === 'ignorable') field.ignorable = true
  else if (word === 'key') field.mapKey = true
  else if (word === 'not-flexible') field.neverFlexible = true
  else if (word === 'tag') {
    field.tag = Number(words.shift())
    field.tagged = /^\d/.test(words[0] ?? '') ? parseVersions(words.shift()) : field.versions
  } else throw new Error(`line ${line.number}: unknown attribute ${word}`)
}
