// `npm test`: installs and builds what is missing, then runs every test. Arguments go to Jest.
import { join } from 'node:path'
import { build, ensureInstalled, node, root, run } from './toolchain.mjs'

ensureInstalled()
build()
run(node, [join(root, 'node_modules/jest/bin/jest.js'), ...process.argv.slice(2)])
