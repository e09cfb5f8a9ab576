// Runs a program of test-cluster/ (TypeScript, as it is) on the project's own Node after installing and building what is missing.
import { join } from 'node:path'
import { build, ensureInstalled, node, root, run } from './toolchain.mjs'

const [program, ...args] = process.argv.slice(2)
ensureInstalled()
build()
run(node, [join(root, program), ...args])
