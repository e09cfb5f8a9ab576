import { spawnSync } from 'node:child_process'

/** Installs Debian packages when one of their commands is missing and this is a machine where that can be done. */
export function ensureDebianPackages(packages: readonly string[], probe: readonly [command: string, ...args: string[]]): void {
  const works = (): boolean => spawnSync(probe[0], probe.slice(1), { stdio: 'ignore' }).status === 0
  if (works()) return
  const missing = `${probe.join(' ')} does not work: install ${packages.join(' ')}`
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) throw new Error(missing)
  spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 2, 2] })
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (!works()) throw new Error(missing)
}
