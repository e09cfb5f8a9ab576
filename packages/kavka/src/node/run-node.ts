import { once } from 'node:events'
import { createMetrics, nodeFileSystem, systemRandom, systemScheduler } from '@kavka/kernel'
import { startNode } from '@kavka/broker'
import { UsageError } from '../usage-error.ts'
import { KAVKA_VERSION } from '../version.ts'
import { giveBuffersRoom } from './heap-growth.ts'
import { collectFully, collectWhenIdle, sinceLastCall, usedByObjects } from './idle-collection.ts'
import { createLogger } from './logger.ts'
import type { NodeSettings } from './node-settings.ts'
import { stopSignal } from './stop-signal.ts'

/** Runs one node in this process until a signal stops it; resolves after its controlled shutdown. */
export async function runNode(settings: NodeSettings): Promise<void> {
  giveBuffersRoom()
  const logger = createLogger(process.env)
  const stop = stopSignal()
  for (const warning of settings.warnings) logger.warn(warning)
  const started = await startNode(settings, {
    version: KAVKA_VERSION,
    fs: nodeFileSystem,
    scheduler: systemScheduler,
    random: systemRandom,
    metrics: createMetrics(),
    logger,
  })
  if (!started.ok) throw new UsageError(`kavka: ${started.error}`)
  const node = started.value
  process.stdout.write(`${node.servingLine}\n`)
  const collecting = collectWhenIdle({ scheduler: systemScheduler, utilization: sinceLastCall(), usedBytes: usedByObjects, collect: collectFully })
  const [reason] = (await Promise.race([once(stop, 'stop'), node.failed.then((cause) => [cause])])) as [string | Error]
  if (reason instanceof Error) halt(reason)
  collecting.cancel()
  await node.stop()
}

/**
 * A node that can no longer run has nothing to hand over in good order, and as long as its sockets are open the others believe in it: an
 * active controller with a failed disk kept the cluster waiting for two seconds. Ending is as safe as `kill -9`, which it is tested for.
 */
function halt(reason: Error): never {
  process.stderr.write(`kavka: stopped because ${reason.message}\n`)
  process.exit(1)
}
