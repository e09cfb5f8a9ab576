/**
 * Group commit with every record synced: `node packages/storage/bench/sync.mjs [seconds] [directory]` after a build. So many partitions
 * have so many batches of 16 KiB under way; the next batch is appended when one is durable. `BUILD` names another build to compare.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { nodeFileSystem, silentLogger, systemRandom, systemScheduler } from '@kavka/kernel'
import { buildBatch } from '@kavka/protocol'
import { benchConfig } from './bench-config.mjs'

process.env.UV_THREADPOOL_SIZE ??= '16'
const { LogManager, logManagerDefaults } = await import(resolve(process.env.BUILD ?? join(import.meta.dirname, '../dist'), 'index.js'))
const seconds = Number(process.argv[2] ?? 3)
const PARTITIONS = (process.env.PARTITIONS ?? '1,10,100,1000').split(',').map(Number)
const IN_FLIGHT = (process.env.IN_FLIGHT ?? '1,5').split(',').map(Number)
const config = { ...benchConfig, flushMessages: 1, retentionBytes: -1 }
const records = Array.from({ length: 15 }, () => ({ timestamp: Date.now(), key: null, value: Buffer.alloc(1_024, 1) }))
const model = buildBatch(records)

async function run(partitions, inFlight) {
  const directory = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'kavka-bench-'))
  const options = { ...logManagerDefaults, logDirs: [directory], clusterId: 'bench', nodeId: 1, configOf: () => config }
  const opened = await LogManager.open(options, { fs: nodeFileSystem, scheduler: systemScheduler, random: systemRandom, logger: silentLogger })
  if (!opened.ok) throw new Error(opened.error.message)
  const manager = opened.value
  const latencies = []
  let isWarm = false
  let isOver = false
  let batches = 0
  for (let partition = 0; partition < partitions; partition++) {
    const log = manager.getOrCreate({ topic: 'bench', partition }, 'AAAAAAAAAAAAAAAAAAAAAQ', config).value
    const underWay = []
    const ring = Array.from({ length: inFlight + 1 }, () => Buffer.from(new Uint8Array(model).buffer))
    let next = 0
    const append = () => {
      const batch = ring[next++ % ring.length]
      batch.writeBigInt64BE(0n, 0)
      const outcome = log.appendAsLeader(batch, 0, 'client')
      if (outcome.kind !== 'appended') throw new Error(JSON.stringify(outcome))
      underWay.push({ end: outcome.lastOffset + 1, atMs: performance.now() })
    }
    log.onDurable(() => {
      const nowMs = performance.now()
      log.updateHighWatermark(log.durableEndOffset)
      let done = 0
      while (underWay.length > 0 && underWay[0].end <= log.durableEndOffset) {
        if (isWarm) latencies.push(nowMs - underWay[0].atMs)
        underWay.shift()
        done++
      }
      batches += done
      // As an answer's effect would: in a turn of its own.
      if (!isOver && done > 0) setImmediate(() => { for (let i = 0; i < done; i++) append() })
    })
    for (let i = 0; i < inFlight; i++) append()
  }
  await sleep(Math.max(700, partitions))
  isWarm = true
  batches = 0
  const syncs = manager.syncFigures.count
  const startedMs = performance.now()
  const startedCpu = process.cpuUsage()
  await sleep(seconds * 1000)
  const elapsed = (performance.now() - startedMs) / 1000
  const cpu = process.cpuUsage(startedCpu)
  const [rate, per] = [batches / elapsed, (batches + 1e-9)]
  latencies.sort((a, b) => a - b)
  const at = (share) => (latencies[Math.floor(latencies.length * share)] ?? NaN).toFixed(1)
  console.log(`${partitions} partitions, ${inFlight} in flight: ${rate.toFixed(0)} batches/s, p50 ${at(0.5)} p99 ${at(0.99)} ms, ${((cpu.user + cpu.system) / per).toFixed(0)} CPU us a batch, ${((manager.syncFigures.count - syncs) / per).toFixed(2)} syncs a batch`)
  isOver = true
  await sleep(200)
  await manager.close(1)
  rmSync(directory, { recursive: true, force: true })
}

function sleep(ms) {
  return new Promise((done) => setTimeout(done, ms))
}

for (const partitions of PARTITIONS) for (const inFlight of IN_FLIGHT) await run(partitions, inFlight)
