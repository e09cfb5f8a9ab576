/**
 * S8: files that are replaced as a whole. Whenever a process ends, each of them is one of the contents that were ever put in its
 * place, whole; and not an older one than was there when its directory was last synced.
 */
import { crc32 } from 'node:zlib'
import type { NodeId } from '@kavka/protocol'
import type { World } from '../../world/world.ts'

const NAME = 'S8 MetaFilesReplacedWhole'
/** In a log directory; what they say must also last. */
const LASTING = ['meta.properties', 'recovery-point-offset-checkpoint', 'replication-offset-checkpoint', 'log-start-offset-checkpoint', '.kafka_cleanshutdown']
/** In the directory of a partition, which may go and come back. */
const WHOLE = ['leader-epoch-checkpoint']

/** Says as much as no file, and is written in place: any part of it may be found after a crash. */
const NOTHING_IN_IT = Array.from('0\n0\n', (_, length) => crc32('0\n0\n'.slice(0, length + 1))).concat(crc32(''))

interface Tracked {
  /** Checksums of what was put in its place, in order; null: there was no such file. */
  readonly versions: (number | null)[]
  /** Index into `versions`: no older one may come back. */
  durableFrom: number
}

export class MetaFileChecks {
  readonly #world: World
  readonly #files = new Map<NodeId, Map<string, Tracked>>()
  readonly #unknown = new Set<string>()

  constructor(world: World) {
    this.#world = world
  }

  /** The run has damaged it, or, without a path, any of those there are: nobody can tell any more what may be found in its place. */
  damaged(id: NodeId, path?: string): void {
    const files = this.#of(id)
    for (const one of path === undefined ? [...files.keys()] : [path]) {
      this.#unknown.add(`${id}:${one}`)
      files.delete(one)
    }
  }

  /** The result tells whether the new content would survive a power cut now; null for files that are not of this kind. */
  renamed(id: NodeId, to: string, read: () => Buffer): (() => boolean) | null {
    if (!this.#isTracked(id, to)) return null
    const tracked = this.#trackedOf(id, to)
    const version = tracked.versions.push(crc32(read())) - 1
    return () => tracked.durableFrom >= version
  }

  /** A replacement has returned that promises to last; `isDurable` is what `renamed` gave. */
  replaced(id: NodeId, path: string, isDurable: () => boolean): void {
    this.#world.judge(NAME, isDurable(), { node: id, path, problem: 'its new name is not on the disk' })
  }

  removed(id: NodeId, path: string): void {
    if (this.#isTracked(id, path)) this.#trackedOf(id, path).versions.push(null)
  }

  /** The names of a directory are being synced; call the result when they are on the disk. */
  syncing(id: NodeId, directory: string): () => void {
    const reached = [...this.#of(id)].filter(([path]) => parentOf(path) === directory).map(([, file]) => ({ file, version: file.versions.length - 1 }))
    return () => {
      for (const { file, version } of reached) file.durableFrom = Math.max(file.durableFrom, version)
    }
  }

  /** A process has ended; `read` shows what the next one will find, null where there is no such file. */
  ended(id: NodeId, read: (path: string) => Buffer | null): void {
    for (const [path, file] of this.#of(id)) {
      const { versions, durableFrom } = file
      const content = read(path)
      const found = content === null ? null : crc32(content)
      const mustLast = LASTING.includes(nameOf(path))
      const allowed = mustLast ? versions.slice(durableFrom) : [...versions, null, ...NOTHING_IN_IT]
      this.#world.judge(NAME, allowed.includes(found), { node: id, path, found: content?.toString() ?? null, versions: versions.length, durableFrom })
      // Newer ones that were not synced are gone for good: what the next process syncs is this one.
      const at = mustLast ? versions.lastIndexOf(found) : -1
      if (at >= 0) versions.length = at + 1
    }
  }

  /** A new disk. */
  wiped(id: NodeId): void {
    this.#files.delete(id)
  }

  #isTracked(id: NodeId, path: string): boolean {
    const name = nameOf(path)
    return (LASTING.includes(name) || WHOLE.includes(name)) && !this.#unknown.has(`${id}:${path}`)
  }

  #of(id: NodeId): Map<string, Tracked> {
    let files = this.#files.get(id)
    if (files === undefined) this.#files.set(id, (files = new Map()))
    return files
  }

  #trackedOf(id: NodeId, path: string): Tracked {
    const files = this.#of(id)
    let tracked = files.get(path)
    if (tracked === undefined) files.set(path, (tracked = { versions: [null], durableFrom: 0 }))
    return tracked
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')))
}
