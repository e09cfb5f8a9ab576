// `npm run tidy`: a test of the tree itself: layers, names, READMEs, leftovers.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { layers } from './tidy/layers.mjs'
import { checkHabits, checkHeaders, checkLayers, checkNames } from './tidy/rules.mjs'
import { root } from './toolchain.mjs'

const BLOB_BYTES_MAX = 4 * 2 ** 20

const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n').filter((path) => existsSync(join(root, path)))
const problems = []

for (const path of files) {
  const size = readFileSync(join(root, path)).length
  if (size > BLOB_BYTES_MAX) problems.push(`${path}: ${size} bytes is too large for the repository`)
  if (!/\.(ts|mjs)$/.test(path) || /\/(gen|testdata)\//.test(path)) continue
  const source = { path, text: readFileSync(join(root, path), 'utf8') }
  for (const rule of [checkLayers, checkNames, checkHabits, checkHeaders]) {
    for (const problem of rule(source)) problems.push(`${path}: ${problem}`)
  }
}
for (const name of Object.keys(layers)) {
  if (!existsSync(join(root, 'packages', name, 'README.md'))) problems.push(`packages/${name}: has no README.md`)
}
if (/"resolved":\s*"https?:/.test(readFileSync(join(root, 'package-lock.json'), 'utf8'))) {
  problems.push('package-lock.json: names registry hosts')
}

for (const problem of problems) console.error(problem)
console.log(problems.length === 0 ? `tidy: ${files.length} files, nothing to say` : `tidy: ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
