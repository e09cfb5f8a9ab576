/** `.kafka_cleanshutdown`: the last stop was clean, under this broker epoch. It must not outlive the start that read it. */
import { replaceFileDurably } from '@kavka/kernel'
import type { FileSystem } from '@kavka/kernel'

const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'
export const UNCLEAN_BROKER_EPOCH = -1

export function hasCleanShutdown(fs: FileSystem, directory: string): boolean {
  return fs.exists(`${directory}/${CLEAN_SHUTDOWN_FILE}`)
}

/** -1 when the stop was not clean, or the file does not say. */
export function readBrokerEpoch(fs: FileSystem, directory: string): number {
  if (!hasCleanShutdown(fs, directory)) return UNCLEAN_BROKER_EPOCH
  const match = /"brokerEpoch"\s*:\s*(-?\d+)/.exec(fs.readFile(`${directory}/${CLEAN_SHUTDOWN_FILE}`).toString('utf8'))
  return match === null ? UNCLEAN_BROKER_EPOCH : Number(match[1])
}

/** Durably: after a crash it must not say "clean" about logs that were written since. */
export function removeCleanShutdown(fs: FileSystem, directory: string): void {
  if (!hasCleanShutdown(fs, directory)) return
  fs.removeFile(`${directory}/${CLEAN_SHUTDOWN_FILE}`)
  fs.syncDirectory(directory)
}

export function writeCleanShutdown(fs: FileSystem, directory: string, brokerEpoch: number): void {
  replaceFileDurably(fs, `${directory}/${CLEAN_SHUTDOWN_FILE}`, JSON.stringify({ version: 0, brokerEpoch }))
}
