/**
 * Group commit with every record synced: `node packages/storage/bench/sync.mjs [seconds] [directory]` after a build. So many partitions
 * have so many batches of 16 KiB under way; the next batch is appended when one is durable. `BUILD` names another build to compare.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buildBatch } from '@kavka/protocol'
import { benchConfig } from './bench-config.mjs'
import { append, openLogs, openManager, ringOf } from './bench-logs.mjs'

process.env.UV_THREADPOOL_SIZE ??= '16'
const storage = await import(resolve(process.env.BUILD ?? join(import.meta.dirname, '../dist'), 'index.js'))
const seconds = Number(process.argv[2] ?? 3)
const PARTITIONS = (process.env.PARTITIONS ?? '1,10,100,1000').split(',').map(Number)
const IN_FLIGHT = (process.env.IN_FLIGHT ?? '1,5').split(',').map(Number)
const config = { ...benchConfig, flushMessages: 1, retentionBytes: -1 }
const records = Array.from({ length: 15 }, () => ({ timestamp: Date.now(), key: null, value: Buffer.alloc(1_024, 1) }))
const model = buildBatch(records)

async function run(partitions, inFlight) {
  const directory = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'kavka-bench-'))
  const manager = await openManager(storage, directory, config)
  const tally = { phase: 'warming up', batches: 0, latencies: [] }
  for (const log of openLogs(manager, partitions, config)) keepBusy(log, inFlight, tally)
  await sleep(Math.max(700, partitions))
  console.log(`${partitions} partitions, ${inFlight} in flight: ${await measure(manager, tally)}`)
  tally.phase = 'over'
  await sleep(200)
  await manager.close(1)
  rmSync(directory, { recursive: true, force: true })
}

/** So many batches of the log are under way all the time. */
function keepBusy(log, inFlight, tally) {
  const underWay = []
  const nextBatch = ringOf(model, inFlight + 1)
  const appendOne = () => underWay.push({ end: append(log, nextBatch()).lastOffset + 1, atMs: performance.now() })
  log.onDurable(() => {
    const nowMs = performance.now()
    log.updateHighWatermark(log.durableEndOffset)
    let done = 0
    for (; underWay.length > 0 && underWay[0].end <= log.durableEndOffset; done++) {
      const { atMs } = underWay.shift()
      if (tally.phase === 'measuring') tally.latencies.push(nowMs - atMs)
    }
    tally.batches += done
    // As an answer's effect would: in a turn of its own.
    if (tally.phase !== 'over' && done > 0) setImmediate(() => { for (let i = 0; i < done; i++) appendOne() })
  })
  for (let i = 0; i < inFlight; i++) appendOne()
}

async function measure(manager, tally) {
  tally.phase = 'measuring'
  tally.batches = 0
  const syncs = manager.syncFigures.count
  const startedMs = performance.now()
  const startedCpu = process.cpuUsage()
  await sleep(seconds * 1000)
  const elapsed = (performance.now() - startedMs) / 1000
  const cpu = process.cpuUsage(startedCpu)
  const { batches } = tally
  const latencies = tally.latencies.toSorted((a, b) => a - b)
  const at = (share) => (latencies[Math.floor(latencies.length * share)] ?? NaN).toFixed(1)
  const perBatch = (figure, digits) => (figure / (batches + 1e-9)).toFixed(digits)
  return `${(batches / elapsed).toFixed(0)} batches/s, p50 ${at(0.5)} p99 ${at(0.99)} ms, ${perBatch(cpu.user + cpu.system, 0)} CPU us a batch, ${perBatch(manager.syncFigures.count - syncs, 2)} syncs a batch`
}

function sleep(ms) {
  return new Promise((done) => setTimeout(done, ms))
}

for (const partitions of PARTITIONS) for (const inFlight of IN_FLIGHT) await run(partitions, inFlight)
