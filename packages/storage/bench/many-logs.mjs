/**
 * What thousands of partitions cost to open, hold and close: `node packages/storage/bench/many-logs.mjs [partitions] [directory]`
 * after a build. Each phase is a process of its own; `killed` ends without closing anything.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildBatch } from '@kavka/protocol'
import * as storage from '../dist/index.js'
import { benchConfig } from './bench-config.mjs'
import { append, openLogs, openManager } from './bench-logs.mjs'

const config = { ...benchConfig, flushMessages: 1 }

const phases = {
  'create, append and close': ['append', 'close'],
  'open after a clean stop, close idle': ['close'],
  'open after a clean stop, append, be killed': ['append', 'kill'],
  'open after kill -9, close': ['settle', 'close'],
  'open after a clean stop, be killed idle': ['kill'],
  'open after kill -9 while idle, close': ['settle', 'close'],
}

async function allDurable(logs) {
  while (logs.some((log) => log.durableEndOffset < log.logEndOffset)) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Does the work and says how long that took. */
async function timed(what, work) {
  const startedMs = performance.now()
  const result = await work()
  figures.push(`${what} ${Math.round(performance.now() - startedMs)} ms`)
  return result
}

const figures = []

/** Of each phase, with the manager and its logs open. */
const steps = {
  append: (manager, logs) => timed('append and sync', async () => {
    for (const log of logs) append(log, buildBatch([{ timestamp: Date.now(), key: null, value: Buffer.alloc(1_000, 1) }]))
    await allDurable(logs)
  }),
  settle: (manager, logs) => timed('all durable after', () => allDurable(logs)),
  close: (manager) => timed('close', () => manager.close(1)),
  kill: () => {},
}

async function runPhase(directory, partitions, stepNames) {
  const before = process.memoryUsage()
  const manager = await timed('open', () => openManager(storage, directory, config))
  const hadLogs = !manager.logs()[Symbol.iterator]().next().done
  const logs = hadLogs ? openLogs(manager, partitions, config) : await timed('create', () => openLogs(manager, partitions, config))
  globalThis.gc()
  const after = process.memoryUsage()
  const perLog = (key) => ((after[key] - before[key]) / partitions / 1024).toFixed(1)
  figures.push(`${perLog('heapUsed')} KiB heap, ${perLog('arrayBuffers')} KiB buffers, ${perLog('rss')} KiB RSS a log`)
  for (const name of stepNames) await steps[name](manager, logs)
  console.log(figures.join(', '))
  process.exit(0)
}

function runAll(partitions, parent) {
  const directory = mkdtempSync(join(parent, 'kavka-bench-'))
  console.log(`${partitions} partitions in ${directory}`)
  try {
    for (const [name, stepNames] of Object.entries(phases)) {
      const args = ['--expose-gc', fileURLToPath(import.meta.url), '--phase', directory, String(partitions), ...stepNames]
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
