// Bundles what `tsc -b` made of the command into one file, which starts in half the time: measured, 310 → 150 ms of CPU and 108 → 94 MB.
// Native modules stay outside; so does prom-client, which is loaded at the first scrape.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bundleFile, isBundleNewest } from '../packages/kavka/bin/newest-build.mjs'

const home = fileURLToPath(new URL('../packages/kavka/', import.meta.url))

if (!isBundleNewest()) {
  const { outputFiles } = await build({
    entryPoints: [join(home, 'dist/main.js')],
    outfile: bundleFile,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node22',
    // CommonJS: one script for V8's compile cache, and no asynchronous module graph. Not minified: stack traces stay readable.
    format: 'cjs',
    external: ['classic-level', '@node-rs/crc32', 'snappy', 'lz4-napi', 'prom-client'],
    define: { 'import.meta.url': 'kavkaBundleUrl' },
    banner: { js: "const kavkaBundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
  })
  mkdirSync(dirname(bundleFile), { recursive: true })
  // Code comes out as ASCII, some comments do not: one character beyond it makes V8 keep the whole text in two bytes a character.
  writeFileSync(bundleFile, outputFiles[0].text.replace(/[\u0080-\uffff]/g, '?'))
}
