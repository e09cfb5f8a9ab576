/**
 * `.lock`: one node a log directory. Node has no file locks, so the file names its holder, and a holder that no longer runs
 * (kill -9, a crash, another container's life) does not count.
 */
import { failure, success } from '@kavka/kernel'
import type { FileSystem, Result } from '@kavka/kernel'

/** The processes of this machine; injected so that a simulation can have its own. */
export interface Processes {
  /** Of this process. */
  readonly id: number
  readonly host: string
  /** Something that tells a process from a later one with the same id; null when there is no such process. */
  incarnation(id: number): string | null
}

export const LOCK_FILE = '.lock'

/** Locks held through each file system by this process: a second holder in one process has the same id. */
const heldPaths = new WeakMap<FileSystem, Map<string, number>>()

/** Returns how to unlock; the error is a sentence. */
export function lockDirectory(fs: FileSystem, directory: string, processes: Processes): Result<() => void, string> {
  const path = `${directory}/${LOCK_FILE}`
  const held = heldPaths.get(fs) ?? new Map<string, number>()
  heldPaths.set(fs, held)
  const holder = held.get(path) === processes.id ? processes.id : runningHolder(fs, path, processes)
  if (holder !== null) return failure(`${directory} is in use by process ${holder} (see ${path}): two nodes cannot share a log directory`)
  const own = `${processes.id} ${processes.incarnation(processes.id) ?? '?'} ${processes.host}\n`
  fs.writeFile(path, own)
  // Two nodes that start at once may both have found it free; the last to write holds it.
  if (fs.readFile(path).toString('utf8') !== own) return failure(`${directory} was locked by another process just now`)
  held.set(path, processes.id)
  return success(() => {
    held.delete(path)
    if (fs.exists(path)) fs.removeFile(path)
  })
}

function runningHolder(fs: FileSystem, path: string, processes: Processes): number | null {
  if (!fs.exists(path)) return null
  const [idText = '', incarnation = '', host = ''] = fs.readFile(path).toString('utf8').trim().split(' ')
  const id = Number(idText)
  // Kafka's own lock file is empty; its lock died with its process. Another host's processes cannot be seen from here.
  if (!Number.isInteger(id) || id <= 0 || host !== processes.host || id === processes.id) return null
  return processes.incarnation(id) === incarnation ? id : null
}
