import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRoot, problemOf, run } from './commands.ts'
import { LoopDisk } from './loop-disk.ts'
import { faketimeLibrary } from './node-clock.ts'

/** What this machine can do for nemeses: null where it can, else why it cannot. */
export interface Machine {
  /** Network namespaces joined by a bridge, with nft. */
  readonly network: string | null
  /** nft that redirects ports, inside a namespace. */
  readonly diversion: string | null
  /** tc with a token bucket. */
  readonly shaping: string | null
  /** ext4 on loop devices that can be shut down. */
  readonly disks: string | null
  /** libfaketime. */
  readonly clocks: string | null
  /** strace that may attach and inject. */
  readonly tracing: string | null
  readonly limits: string | null
}

const PACKAGES: readonly (readonly [command: string, packageName: string])[] = [
  ['ip', 'iproute2'], ['nft', 'nftables'], ['strace', 'strace'], ['mkfs.ext4', 'e2fsprogs'], ['prlimit', 'util-linux'], ['perl', 'perl-base'],
]

/** Installs what is missing where that is possible: as root on a Debian. Never fails; the probes tell what is there. */
export function installTools(log: (line: string) => void): void {
  const missing = PACKAGES.filter(([command]) => !isCommand(command)).map(([, packageName]) => packageName)
  if (faketimeLibrary() === null) missing.push('libfaketime')
  if (missing.length === 0 || !isRoot() || !isCommand('apt-get')) return
  log(`installing ${missing.join(', ')}`)
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore', env: environment })
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { stdio: 'ignore', env: environment })
}

/** Tries each thing for real, on things of its own that it removes again. */
export function probeMachine(): Machine {
  const network = needsRoot() ?? problemOf(tryNetwork)
  return {
    network,
    diversion: network ?? problemOf(tryDiversion),
    shaping: network ?? problemOf(tryShaping),
    disks: needsRoot() ?? problemOf(tryDisk),
    clocks: faketimeLibrary() === null ? 'libfaketime is not installed' : null,
    tracing: problemOf(() => run('strace', '-qq', '-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO', '-o', '/dev/null', 'true')),
    limits: problemOf(() => run('prlimit', '--nofile', '--pid', String(process.pid))),
  }
}

function needsRoot(): string | null {
  return isRoot() ? null : 'needs root'
}

function tryNetwork(): void {
  withSpace((name) => {
    run('ip', 'link', 'add', `${name}b`, 'type', 'bridge')
    try {
      run('ip', 'link', 'add', `${name}v`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
      run('nsenter', `--net=/run/netns/${name}`, '--', 'nft', 'add', 'table', 'inet', 'probe')
      run('nsenter', `--net=/run/netns/${name}`, '--', 'nft', 'add', 'chain', 'inet', 'probe', 'input', '{ type filter hook input priority 0 ; }')
      run('nsenter', `--net=/run/netns/${name}`, '--', 'true')
    } finally {
      problemOf(() => run('ip', 'link', 'del', `${name}b`))
    }
  })
}

function tryDiversion(): void {
  withSpace((name) => {
    const nft = (...args: string[]): string => run('nsenter', `--net=/run/netns/${name}`, '--', 'nft', ...args)
    nft('add', 'table', 'inet', 'probe')
    nft('add', 'chain', 'inet', 'probe', 'divert', '{ type nat hook prerouting priority -100 ; }')
    nft('add', 'rule', 'inet', 'probe', 'divert', 'tcp', 'dport', '1', 'redirect', 'to', ':2')
  })
}

function tryShaping(): void {
  withSpace((name) => run('nsenter', `--net=/run/netns/${name}`, '--', 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'tbf', 'rate', '1mbit', 'burst', '32kbit', 'latency', '400ms'))
}

function withSpace(use: (name: string) => unknown): void {
  const name = `kvp${process.pid % 2 ** 14}`
  run('ip', 'netns', 'add', name)
  try {
    use(name)
  } finally {
    problemOf(() => run('ip', 'netns', 'del', name))
  }
}

function tryDisk(): void {
  const directory = mkdtempSync(join(tmpdir(), 'kavka-probe-'))
  try {
    const disk = LoopDisk.create(join(directory, 'disk'), join(directory, 'disk.img'), 8)
    try {
      disk.cutPower()
    } finally {
      disk.remove()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function isCommand(command: string): boolean {
  return spawnSync('/bin/sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0
}
