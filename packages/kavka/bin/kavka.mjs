#!/usr/bin/env node
// Entry of the `kavka` command: keeps V8's compiled code between starts, which is a third of the start-up time.
import { enableCompileCache } from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 15)) {
  console.error(`kavka needs Node.js 22.15 or newer, this is ${process.versions.node}. Run it through npm: npx kavka …`)
  process.exit(1)
}
enableCompileCache()
const { main } = await import('../dist/main.js')
await main(process.argv)
