/** What the benchmarks share: the logs of one topic, on the machine's own disk and clock. */
import { nodeFileSystem, silentLogger, systemRandom, systemScheduler } from '@kavka/kernel'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** The manager of `storage`, a build of this package. */
export async function openManager({ LogManager, logManagerDefaults }, directory, config) {
  const options = { ...logManagerDefaults, logDirs: [directory], clusterId: 'bench', nodeId: 1, configOf: () => config }
  const opened = await LogManager.open(options, { fs: nodeFileSystem, scheduler: systemScheduler, random: systemRandom, logger: silentLogger })
  if (!opened.ok) throw new Error(opened.error.message)
  return opened.value
}

/** Opened, or made where there is none yet. */
export function openLog(manager, partition, config) {
  const opened = manager.getOrCreate({ topic: 'bench', partition }, TOPIC_ID, config)
  if (!opened.ok) throw new Error(opened.error.message)
  return opened.value
}

export function openLogs(manager, count, config) {
  return Array.from({ length: count }, (_, partition) => openLog(manager, partition, config))
}

export function append(log, batch) {
  const outcome = log.appendAsLeader(batch, 0, 'client')
  if (outcome.kind !== 'appended') throw new Error(JSON.stringify(outcome))
  return outcome
}

/** Copies of a batch to append one after the other: the log keeps the memory of what it is given for a while. */
export function ringOf(batch, length) {
  const copies = Array.from({ length }, () => Buffer.from(new Uint8Array(batch).buffer))
  let next = 0
  return () => {
    const copy = copies[next++ % length]
    copy.writeBigInt64BE(0n, 0)
    return copy
  }
}
