// `npm run check`: everything that must hold before a change lands; `--static` leaves the tests out.
import { join } from 'node:path'
import { build, ensureInstalled, node, root, run } from './toolchain.mjs'

ensureInstalled()
const steps = [
  ['generated code is up to date', () => run(node, [join(root, 'scripts/gen.mjs'), '--check'])],
  ['generated protobuf code is up to date', () => run(node, [join(root, 'scripts/gen-proto.mjs'), '--check'])],
  ['types', build],
  ['lint', () => run(node, [join(root, 'node_modules/oxlint/bin/oxlint'), '--type-aware', '--quiet'])],
  ['tree', () => run(node, [join(root, 'scripts/tidy.mjs')])],
  ['tests', () => process.argv.includes('--static') || run(node, [join(root, 'scripts/test.mjs')])],
]
for (const [name, step] of steps) {
  console.log(`── ${name}`)
  step()
}
