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
  ...generate(foldersOf(schemaRoot).filter((folder) => folder !== TEST_FOLDER), 'src/gen', '../wire/generated-code.ts', true),
  ...generate([TEST_FOLDER], 'src/golden/gen', '../../wire/generated-code.ts', false),
])
const roots = ['src/gen', 'src/golden/gen'].map((folder) => path.join(protocol, folder))
if (process.argv.includes('--check')) check()
else write()

/** Pairs of path and content for the schemas of `folders`; the product's own also get the table of APIs. */
function generate(folders, target, runtimePath, withApis) {
  const schemas = folders.flatMap(readFolder).sort((a, b) => (a.schema.name < b.schema.name ? -1 : 1))
  const modules = schemas
    .filter(({ schema }) => schema.versions !== null)
    .map(({ schema, name, source }) => ({ model: buildModel(schema), file: `${name}.ts`, source }))
  const files = modules.map(({ model, file, source }) => [file, emitModule(model, source, runtimePath)])
  files.push(['index.ts', emitIndex(modules)])
  if (withApis) files.push(['apis.ts', emitApis(modules, schemas.map((one) => one.schema))])
  return files.map(([file, content]) => [path.join(protocol, target, file), content])
}

function foldersOf(root) {
  return fs.readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort()
}

function readFolder(folder) {
  const directory = path.join(schemaRoot, folder)
  const files = fs.readdirSync(directory).filter((file) => file.endsWith('.kschema')).sort()
  return files.map((file) => {
    const source = `schema/${folder}/${file}`
    const schema = parseSchema(fs.readFileSync(path.join(directory, file), 'utf8'), source)
    return { schema, name: path.basename(file, '.kschema'), source }
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
  for (const file of [...stale, ...missing]) console.error(`gen: out of date: ${path.relative(process.cwd(), file)}`)
  if (stale.length + missing.length > 0) process.exitCode = 1
}
