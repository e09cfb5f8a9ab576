/**
 * Throughput of appending and writing batches, page cache only: `node packages/storage/bench/append.mjs [directory]` after a build.
 * Batches of 16 KiB with 1 KiB records, validated as a client's; the records are checked, written at the end of each turn.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBatch } from '@kavka/protocol'
import * as storage from '../dist/index.js'
import { benchConfig } from './bench-config.mjs'
import { append, openLog, openManager, ringOf } from './bench-logs.mjs'

const BATCHES_PER_TURN = 32
const TURNS_BETWEEN_RETENTIONS = 128
const TOTAL_BYTES = 2_000_000_000

async function run(recordBytes, durability) {
  const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'kavka-bench-'))
  const flushMessages = durability === 'synced' ? 1 : Number.MAX_SAFE_INTEGER
  const manager = await openManager(storage, directory, benchConfig)
  const log = openLog(manager, 0, { ...benchConfig, flushMessages })
  const startedMs = performance.now()
  const startedCpu = process.cpuUsage()
  const bytes = await appendAll(manager, log, batchOf(recordBytes))
  const seconds = (performance.now() - startedMs) / 1000
  const cpu = process.cpuUsage(startedCpu)
  const cpuSecondsPerGb = ((cpu.user + cpu.system) / 1e6 / bytes) * 1e9
  console.log(`${recordBytes} B records, ${durability}: ${(bytes / 1e9 / seconds).toFixed(2)} GB/s, ${cpuSecondsPerGb.toFixed(2)} CPU s/GB`)
  await manager.close(1)
  rmSync(directory, { recursive: true, force: true })
}

function batchOf(recordBytes) {
  const record = { timestamp: Date.now(), key: null, value: Buffer.alloc(recordBytes - 12, 1) }
  return buildBatch(Array.from({ length: Math.max(1, Math.floor(16_384 / recordBytes)) }, () => record))
}

/** Returns how many bytes that were. */
async function appendAll(manager, log, model) {
  // As frames do, batches come in memory of their own: reused here in a ring larger than the turn.
  const nextBatch = ringOf(model, BATCHES_PER_TURN * 8)
  let bytes = 0
  for (let turn = 1; bytes < TOTAL_BYTES; turn++) {
    for (let i = 0; i < BATCHES_PER_TURN; i++, bytes += model.length) append(log, nextBatch())
    await new Promise((resolve) => setImmediate(resolve))
    log.updateHighWatermark(log.durableEndOffset)
    if (turn % TURNS_BETWEEN_RETENTIONS === 0) manager.applyRetention()
  }
  return bytes
}

await run(1_024, 'page cache')
await run(1_024, 'page cache')
await run(100, 'page cache')
await run(1_024, 'synced')
