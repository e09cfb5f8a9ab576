/** The directory tree of the memory file system: names as they are now, and as a crash would leave them. */
import type { Random } from '@kavka/kernel'
import { fileError } from './file-faults.ts'
import { MemoryFileContent } from './memory-file-content.ts'

export type MemoryNode = MemoryDirectory | MemoryFileContent

export class MemoryDirectory {
  names = new Map<string, MemoryNode>()
  durableNames = new Map<string, MemoryNode>()
}

/** One name set or removed. */
interface Edit {
  readonly directory: MemoryDirectory
  readonly name: string
  readonly node: MemoryNode | null
}

/** What one call changed; all of it survives a crash or nothing does (a rename is atomic). */
type NameChange = readonly Edit[]

interface NumberedChange {
  readonly number: number
  readonly edits: NameChange
}

export class MemoryNames {
  readonly #root = new MemoryDirectory()
  #unsynced: NumberedChange[] = []
  #changes = 0
  /** As many entries as different paths were ever asked for. */
  readonly #parts = new Map<string, readonly string[]>()

  find(path: string): MemoryNode | null {
    return this.#walk(this.#partsOf(path))
  }

  #walk(parts: readonly string[]): MemoryNode | null {
    let node: MemoryNode = this.#root
    for (const name of parts) {
      if (!(node instanceof MemoryDirectory)) return null
      const next = node.names.get(name)
      if (next === undefined) return null
      node = next
    }
    return node
  }

  makeDirectory(path: string): void {
    let directory = this.#root
    for (const name of this.#partsOf(path)) {
      let next = directory.names.get(name)
      if (next instanceof MemoryFileContent) throw fileError('EEXIST', 'mkdir', path)
      if (next === undefined) {
        next = new MemoryDirectory()
        this.#change([{ directory, name, node: next }])
      }
      directory = next
    }
  }

  link(path: string, node: MemoryNode): void {
    this.#change([{ ...this.#parentOf(path, 'open'), node }])
  }

  unlink(path: string): void {
    this.#change([{ ...this.#parentOf(path, 'unlink'), node: null }])
  }

  rename(from: string, to: string): void {
    const node = this.find(from)
    if (node === null) throw fileError('ENOENT', 'rename', from)
    const source = this.#parentOf(from, 'rename')
    const target = this.#parentOf(to, 'rename')
    if (source.directory === target.directory && source.name === target.name) return
    this.#change([{ ...source, node: null }, { ...target, node }])
  }

  /** Names the changes made so far, for `sync`. */
  mark(): number {
    return this.#changes
  }

  /** Makes the names of one directory as of the mark durable, and with it the other half of a rename. */
  sync(directory: MemoryDirectory, mark = this.#changes): void {
    const isSynced = (change: NumberedChange): boolean =>
      change.number < mark && change.edits.some((edit) => edit.directory === directory)
    if (this.#unsynced.length === 0) return
    for (const change of this.#unsynced.filter(isSynced)) applyDurably(change.edits)
    this.#unsynced = this.#unsynced.filter((change) => !isSynced(change))
  }

  crash(random: Random | undefined): void {
    for (const change of this.#unsynced) {
      if (random !== undefined && random.below(2) === 0) applyDurably(change.edits)
    }
    this.#unsynced = []
    restore(this.#root)
  }

  /** Every file that has a name. */
  *contents(directory: MemoryDirectory = this.#root): Iterable<MemoryFileContent> {
    for (const node of directory.names.values()) {
      if (node instanceof MemoryDirectory) yield* this.contents(node)
      else yield node
    }
  }

  #parentOf(path: string, call: string): { readonly directory: MemoryDirectory; readonly name: string } {
    const parts = this.#partsOf(path)
    const name = parts.at(-1)
    if (name === undefined) throw fileError('EISDIR', call, path)
    const directory = this.#walk(parts.slice(0, -1))
    if (directory === null) throw fileError('ENOENT', call, path)
    if (!(directory instanceof MemoryDirectory)) throw fileError('ENOTDIR', call, path)
    return { directory, name }
  }

  #partsOf(path: string): readonly string[] {
    let parts = this.#parts.get(path)
    if (parts === undefined) this.#parts.set(path, (parts = path.split('/').filter((part) => part !== '')))
    return parts
  }

  #change(change: NameChange): void {
    for (const { directory, name, node } of change) setName(directory.names, name, node)
    this.#unsynced.push({ number: this.#changes++, edits: change })
  }
}

function applyDurably(change: NameChange): void {
  for (const { directory, name, node } of change) setName(directory.durableNames, name, node)
}

function setName(names: Map<string, MemoryNode>, name: string, node: MemoryNode | null): void {
  if (node === null) names.delete(name)
  else names.set(name, node)
}

function restore(directory: MemoryDirectory): void {
  directory.names = new Map(directory.durableNames)
  for (const node of directory.names.values()) if (node instanceof MemoryDirectory) restore(node)
}
