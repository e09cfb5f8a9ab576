/**
 * Generates packages/protocol/src/gen from the schema notation. `--check` writes nothing and fails when the
 * committed output differs from what would be written.
 */
import fs from 'node:fs'
import path from 'node:path'
import { emitApis, emitIndex } from './gen/emit-index.mjs'
import { emitModule } from './gen/emit-module.mjs'
import { buildModel } from './gen/model.mjs'
import { parseSchema } from './gen/parse-schema.mjs'

const protocol = path.join(import.meta.dirname, '..', 'packages', 'protocol')
const schemaRoot = path.join(protocol, 'schema')
const TEST_FOLDER = 'test'

const outputs = new Map([
  ...generate(
    foldersOf(schemaRoot).filter((folder) => folder !== TEST_FOLDER),
    'src/gen',
    '../wire/generated-code.ts',
    true,
  ),
  ...generate([TEST_FOLDER], 'src/golden/gen', '../../wire/generated-code.ts', false),
])
const roots = ['src/gen', 'src/golden/gen'].map((folder) => path.join(protocol, folder))
if (process.argv.includes('--check')) check()
else write()

/** Pairs of path and content for the schemas of `folders`; the product's own also get the table of APIs. */
function generate(folders, target, runtimePath, withApis) {
  const schemas = folders.flatMap(readFolder).sort((a, b) => (a.schema.name < b.schema.name ? -1 : 1))
  const subjects = groupBySubject(schemas.filter(({ schema }) => schema.versions !== null))
  const files = subjects.map((subject) => [subject.file, emitModule(subject, runtimePath)])
  files.push(['index.ts', emitIndex(subjects)])
  if (withApis)
    files.push([
      'apis.ts',
      emitApis(
        subjects,
        schemas.map((one) => one.schema),
      ),
    ])
  return files.map(([file, content]) => [path.join(protocol, target, file), content])
}

/**
 * The messages of a folder share a module. A module for each of them would make the import of the package
 * several
 * times slower: loading a module costs more than compiling what it holds.
 */
function groupBySubject(schemas) {
  const subjects = new Map()
  for (const { schema, folder, source } of schemas) {
    if (!subjects.has(folder)) subjects.set(folder, { file: `${folder}.ts`, models: [], sources: [] })
    subjects.get(folder).models.push(buildModel(schema))
    subjects.get(folder).sources.push(source)
  }
  return [...subjects.values()].sort((a, b) => (a.file < b.file ? -1 : 1))
}

function foldersOf(root) {
  return fs
    .readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

function readFolder(folder) {
  const directory = path.join(schemaRoot, folder)
  const files = fs
    .readdirSync(directory)
    .filter((file) => file.endsWith('.kschema'))
    .sort()
  return files.map((file) => {
    const source = `schema/${folder}/${file}`
    const schema = parseSchema(fs.readFileSync(path.join(directory, file), 'utf8'), source)
    return { schema, folder, source }
  })
}

function write() {
  for (const root of roots) fs.rmSync(root, { recursive: true, force: true })
  for (const root of roots) fs.mkdirSync(root, { recursive: true })
  for (const [file, content] of outputs) fs.writeFileSync(file, content)
  console.log(`gen: ${outputs.size} files written`)
}

function check() {
  const committed = roots.flatMap((root) => fs.readdirSync(root).map((file) => path.join(root, file)))
  const stale = committed.filter((file) => outputs.get(file) !== fs.readFileSync(file, 'utf8'))
  const missing = [...outputs.keys()].filter((file) => !committed.includes(file))
  for (const file of [...stale, ...missing])
    console.error(`gen: out of date: ${path.relative(process.cwd(), file)}`)
  if (stale.length + missing.length > 0) process.exitCode = 1
}
