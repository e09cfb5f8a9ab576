/**
 * Throughput of appending and writing batches, page cache only: `node packages/storage/bench/append.mjs [directory]` after a build.
 * Batches of 16 KiB with 1 KiB records, validated as a client's; the records are checked, written at the end of each turn.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFileSystem, silentLogger, systemRandom, systemScheduler } from '@kavka/kernel'
import { buildBatch } from '@kavka/protocol'
import { LogManager, logManagerDefaults } from '../dist/index.js'
import { benchConfig } from './bench-config.mjs'

const BATCHES_PER_TURN = 32
const TOTAL_BYTES = 2_000_000_000

const config = benchConfig

async function run(recordBytes, durability) {
  const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'kavka-bench-'))
  const flushMessages = durability === 'synced' ? 1 : Number.MAX_SAFE_INTEGER
  const options = { ...logManagerDefaults, logDirs: [directory], clusterId: 'bench', nodeId: 1, configOf: () => config }
  const opened = await LogManager.open(options, { fs: nodeFileSystem, scheduler: systemScheduler, random: systemRandom, logger: silentLogger })
  if (!opened.ok) throw new Error(opened.error.message)
  const manager = opened.value
  const created = manager.getOrCreate({ topic: 'bench', partition: 0 }, 'AAAAAAAAAAAAAAAAAAAAAQ', { ...config, flushMessages })
  if (!created.ok) throw new Error(created.error.message)
  const log = created.value
  const records = Array.from({ length: Math.max(1, Math.floor(16_384 / recordBytes)) }, () => ({
    timestamp: Date.now(), key: null, value: Buffer.alloc(recordBytes - 12, 1),
  }))
  // As frames do, batches come in memory of their own: reused here in a ring larger than the turn.
  const ring = Array.from({ length: BATCHES_PER_TURN * 8 }, () => Buffer.from(new Uint8Array(buildBatch(records)).buffer))
  const startedMs = performance.now()
  const startedCpu = process.cpuUsage()
  let bytes = 0
  for (let index = 0; bytes < TOTAL_BYTES; ) {
    for (let i = 0; i < BATCHES_PER_TURN; i++, index++) {
      const batch = ring[index % ring.length]
      batch.writeBigInt64BE(0n, 0)
      const outcome = log.appendAsLeader(batch, 0, 'client')
      if (outcome.kind !== 'appended') throw new Error(JSON.stringify(outcome))
      bytes += batch.length
    }
    await new Promise((resolve) => setImmediate(resolve))
    log.updateHighWatermark(log.durableEndOffset)
    if (index % 4096 === 0) manager.applyRetention()
  }
  const seconds = (performance.now() - startedMs) / 1000
  const cpu = process.cpuUsage(startedCpu)
  const cpuSecondsPerGb = ((cpu.user + cpu.system) / 1e6 / bytes) * 1e9
  console.log(`${recordBytes} B records, ${durability}: ${(bytes / 1e9 / seconds).toFixed(2)} GB/s, ${cpuSecondsPerGb.toFixed(2)} CPU s/GB`)
  await manager.close(1)
  rmSync(directory, { recursive: true, force: true })
}

await run(1_024, 'page cache')
await run(1_024, 'page cache')
await run(100, 'page cache')
await run(1_024, 'synced')
