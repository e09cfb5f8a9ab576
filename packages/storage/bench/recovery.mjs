/**
 * How long a log of some gigabytes takes to open after `kill -9`: `node packages/storage/bench/recovery.mjs [gigabytes] [directory]`
 * after a build. One process appends, synced record by record as by default, and dies in the middle; the next one opens.
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

const PARTITIONS = 4
const BATCHES_PER_TURN = 16
const config = { ...benchConfig, flushMessages: 1, segmentBytes: 1_073_741_824, retentionBytes: -1 }

async function appendAndDie(directory, totalBytes) {
  const manager = await openManager(storage, directory, config)
  const logs = openLogs(manager, PARTITIONS, config)
  const records = Array.from({ length: 64 }, () => ({ timestamp: Date.now(), key: null, value: Buffer.alloc(1_012, 1) }))
  const model = buildBatch(records)
  const startedMs = performance.now()
  for (let bytes = 0; bytes < totalBytes; ) {
    for (const log of logs) {
      for (let i = 0; i < BATCHES_PER_TURN; i++, bytes += model.length) {
        append(log, Buffer.from(new Uint8Array(model).buffer))
      }
    }
    while (logs.some((log) => log.durableEndOffset < log.logEndOffset)) await new Promise((resolve) => setImmediate(resolve))
  }
  console.log(`appended ${(totalBytes / 1e9).toFixed(1)} GB in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
  process.kill(process.pid, 'SIGKILL')
}

async function reopen(directory) {
  const startedMs = performance.now()
  const manager = await openManager(storage, directory, config)
  const openedMs = performance.now()
  const logs = [...manager.logs()]
  while (logs.some((log) => log.durableEndOffset < log.logEndOffset)) await new Promise((resolve) => setTimeout(resolve, 1))
  console.log(`open ${Math.round(openedMs - startedMs)} ms, all durable after ${Math.round(performance.now() - openedMs)} ms`)
  process.exit(0)
}

function runAll(gigabytes, parent) {
  const directory = mkdtempSync(join(parent, 'kavka-bench-'))
  try {
    for (const phase of ['append', 'open']) {
      const args = [fileURLToPath(import.meta.url), '--phase', phase, directory, String(gigabytes * 1e9)]
      spawnSync(process.execPath, args, { stdio: 'inherit' })
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const [first, ...rest] = process.argv.slice(2)
if (first !== '--phase') runAll(Number(first ?? 10), rest[0] ?? tmpdir())
else if (rest[0] === 'append') await appendAndDie(rest[1], Number(rest[2]))
else await reopen(rest[1])
