// Brings the toolchain up from nothing: dependencies (with their own Node) and the build. Runs on whatever Node the machine has.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** The Node that the project pins, whatever the machine has. */
export const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

const stamp = join(root, 'node_modules', '.kavka-installed')

/** Installs what the lockfile says when it was not installed since the lockfile changed. */
export function ensureInstalled() {
  const lockfile = join(root, 'package-lock.json')
  if (existsSync(stamp) && existsSync(node) && statSync(stamp).mtimeMs >= statSync(lockfile).mtimeMs) return
  if (existsSync(node) && existsSync(join(root, 'node_modules', '.package-lock.json'))) {
    const installed = statSync(join(root, 'node_modules', '.package-lock.json')).mtimeMs
    if (installed >= statSync(lockfile).mtimeMs) return
  }
  console.error('Installing dependencies (once) …')
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { shell: process.platform === 'win32' })
  writeFileSync(stamp, '')
}

/** Compiles what changed and bundles the command. */
export function build() {
  run(node, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'])
  run(node, [join(root, 'scripts', 'bundle.mjs')])
}

/** Runs a program to its end, its output shown; a failure ends this process with the same code. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}
