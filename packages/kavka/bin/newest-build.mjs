// Which build of the command is the newest: the bundle, or the modules that it was made of.
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const home = fileURLToPath(new URL('..', import.meta.url))
const packages = ['kernel', 'protocol', 'storage', 'controller', 'replication', 'transport', 'broker', 'kavka']

/** Deep enough that what is found relative to a module of `dist` is found relative to the bundle. */
export const bundleFile = `${home}dist/bundle/kavka.cjs`

/** False when there is no bundle or the compiler has run since. Where nothing is compiled, as in an installed package, the bundle is the newest. */
export function isBundleNewest() {
  const bundledMs = modifiedMs(bundleFile)
  return bundledMs > 0 && packages.every((name) => modifiedMs(`${home}../${name}/tsconfig.tsbuildinfo`) <= bundledMs)
}

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
