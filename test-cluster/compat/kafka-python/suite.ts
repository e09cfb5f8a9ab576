import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../../foreign/kafka-tools.ts'
import { freshName, same, succeeded } from '../check.ts'
import type { CompatSuite } from '../check.ts'
import { ensureDebianPackages } from '../debian.ts'

const script = fileURLToPath(new URL('session.py', import.meta.url))
const environment = fileURLToPath(new URL('../../../.cache/kafka-python/', import.meta.url))
/** Debian's modules are for Debian's interpreter, not for one that a version manager put first in the path. */
const debianPython = '/usr/bin/python3'

/** kafka-python as Debian ships it. */
export const debianKafkaPythonSuite: CompatSuite = {
  name: 'kafka-python (Debian)',
  pace: 'quick',
  install: () => Promise.resolve(ensureDebianPackages(['python3-kafka'], [debianPython, '-c', 'import kafka'])),
  checks: [{ name: 'administers, produces, consumes in a group', run: (bootstrap) => runSession(debianPython, bootstrap) }],
}

/** kafka-python's newest release from PyPI. */
export const newestKafkaPythonSuite: CompatSuite = {
  name: 'kafka-python (PyPI)',
  pace: 'quick',
  install: () => {
    if (!existsSync(join(environment, 'bin', 'kafka-installed'))) {
      ensureDebianPackages(['python3-venv'], ['python3', '-c', 'import venv, ensurepip'])
      execFileSync('python3', ['-m', 'venv', environment], { stdio: ['ignore', 2, 2] })
      execFileSync(join(environment, 'bin', 'pip'), ['install', '--quiet', '--upgrade', 'kafka-python'], { stdio: ['ignore', 2, 2] })
      execFileSync('touch', [join(environment, 'bin', 'kafka-installed')])
    }
    return Promise.resolve()
  },
  checks: [
    { name: 'administers, produces, consumes in a group', run: (bootstrap) => runSession(join(environment, 'bin', 'python'), bootstrap) },
  ],
}

async function runSession(python: string, bootstrap: string): Promise<void> {
  const replicas = Math.min(3, bootstrap.split(',').length)
  const output = succeeded(await runCommand(python, [script, bootstrap, freshName('python'), String(replicas)]))
  same(output.trim().split('\n').at(-1), 'ok', 'last line')
}
