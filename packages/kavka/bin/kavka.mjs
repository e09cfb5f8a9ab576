#!/usr/bin/env node
// Entry of the `kavka` command: runs the bundle, and keeps V8's compiled code between starts.
import nodeModule from 'node:module'
import { bundleFile, isBundleNewest } from './newest-build.mjs'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 15)) {
  console.error(`kavka needs Node.js 22.15 or newer, this is ${process.versions.node}. Run it through npm: npx kavka …`)
  process.exit(1)
}
// Threads that sync files: they only wait, and the file system serves many waiting together far better than one after the other. Read when the first is used.
process.env.UV_THREADPOOL_SIZE ??= '16'
nodeModule.enableCompileCache()
const { main } = isBundleNewest() ? nodeModule.createRequire(import.meta.url)(bundleFile) : await import('../dist/main.js')
await main(process.argv)
