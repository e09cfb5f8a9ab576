/**
 * What thousands of partitions cost to open, hold and close: `node packages/storage/bench/many-logs.mjs [partitions] [directory]`
 * after a build. Each phase is a process of its own; `killed` ends without closing anything.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeFileSystem, silentLogger, systemRandom, systemScheduler } from '@kavka/kernel'
import { buildBatch } from '@kavka/protocol'
import { LogManager, logManagerDefaults } from '../dist/index.js'
import { benchConfig } from './bench-config.mjs'

const config = { ...benchConfig, flushMessages: 1 }

const phases = {
  'create, append and close': ['append', 'close'],
  'open after a clean stop, close idle': ['close'],
  'open after a clean stop, append, be killed': ['append', 'kill'],
  'open after kill -9, close': ['settle', 'close'],
  'open after a clean stop, be killed idle': ['kill'],
  'open after kill -9 while idle, close': ['settle', 'close'],
}

function timed() {
  const startedMs = performance.now()
  return () => Math.round(performance.now() - startedMs)
}

async function allDurable(logs) {
  while (logs.some((log) => log.durableEndOffset < log.logEndOffset)) await new Promise((resolve) => setTimeout(resolve, 5))
}

async function runPhase(directory, partitions, steps) {
  const figures = []
  const before = process.memoryUsage()
  const opening = timed()
  const options = { ...logManagerDefaults, logDirs: [directory], clusterId: 'bench', nodeId: 1, configOf: () => config }
  const opened = await LogManager.open(options, { fs: nodeFileSystem, scheduler: systemScheduler, random: systemRandom, logger: silentLogger })
  if (!opened.ok) throw new Error(opened.error.message)
  const manager = opened.value
  figures.push(`open ${opening()} ms`)
  const creating = timed()
  const hadLogs = !manager.logs()[Symbol.iterator]().next().done
  const logs = Array.from({ length: partitions }, (_, partition) => {
    const created = manager.getOrCreate({ topic: 'bench', partition }, 'AAAAAAAAAAAAAAAAAAAAAQ', config)
    if (!created.ok) throw new Error(created.error.message)
    return created.value
  })
  if (!hadLogs) figures.push(`create ${creating()} ms`)
  globalThis.gc()
  const after = process.memoryUsage()
  const perLog = (key) => ((after[key] - before[key]) / partitions / 1024).toFixed(1)
  figures.push(`${perLog('heapUsed')} KiB heap, ${perLog('arrayBuffers')} KiB buffers, ${perLog('rss')} KiB RSS a log`)
  if (steps.includes('append')) {
    const appending = timed()
    for (const log of logs) log.appendAsLeader(buildBatch([{ timestamp: Date.now(), key: null, value: Buffer.alloc(1_000, 1) }]), 0, 'client')
    await allDurable(logs)
    figures.push(`append and sync ${appending()} ms`)
  }
  if (steps.includes('settle')) {
    const settling = timed()
    await allDurable(logs)
    figures.push(`all durable after ${settling()} ms`)
  }
  if (steps.includes('close')) {
    const closing = timed()
    await manager.close(1)
    figures.push(`close ${closing()} ms`)
  }
  console.log(figures.join(', '))
  process.exit(0)
}

function runAll(partitions, parent) {
  const directory = mkdtempSync(join(parent, 'kavka-bench-'))
  console.log(`${partitions} partitions in ${directory}`)
  try {
    for (const [name, steps] of Object.entries(phases)) {
      const args = ['--expose-gc', fileURLToPath(import.meta.url), '--phase', directory, String(partitions), ...steps]
      const child = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
      console.log(`  ${name}: ${child.stdout.trim()}`)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const [first, ...rest] = process.argv.slice(2)
if (first === '--phase') await runPhase(rest[0], Number(rest[1]), rest.slice(2))
else runAll(Number(first ?? 2_000), rest[0] ?? tmpdir())
