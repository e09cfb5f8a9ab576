/**
 * The disk as long as descriptors last: running out of them is no disk error, and most of ours are only kept open to be quick. An
 * operation that fails for want of one is tried again, once, after cold files were closed. Such an operation has done nothing yet.
 */
import type { FileSystem } from '@kavka/kernel'

export class DescriptorRoom implements FileSystem {
  readonly #disk: FileSystem
  #makeRoom: () => void = () => {}

  constructor(dependencies: { readonly disk: FileSystem }) {
    this.#disk = dependencies.disk
  }

  /** What closes files that are not in use. */
  onShortage(makeRoom: () => void): void {
    this.#makeRoom = makeRoom
  }

  open: FileSystem['open'] = (path, mode) => this.#retried(() => this.#disk.open(path, mode))
  readFile: FileSystem['readFile'] = (path) => this.#retried(() => this.#disk.readFile(path))
  writeFile: FileSystem['writeFile'] = (path, content) => this.#retried(() => this.#disk.writeFile(path, content))
  exists: FileSystem['exists'] = (path) => this.#disk.exists(path)
  list: FileSystem['list'] = (path) => this.#retried(() => this.#disk.list(path))
  isDirectory: FileSystem['isDirectory'] = (path) => this.#disk.isDirectory(path)
  makeDirectory: FileSystem['makeDirectory'] = (path) => this.#disk.makeDirectory(path)
  rename: FileSystem['rename'] = (from, to) => this.#disk.rename(from, to)
  removeFile: FileSystem['removeFile'] = (path) => this.#disk.removeFile(path)
  removeDirectory: FileSystem['removeDirectory'] = (path) => this.#retried(() => this.#disk.removeDirectory(path))
  removeInBackground: FileSystem['removeInBackground'] = (path) => this.#disk.removeInBackground(path)
  sizeBytes: FileSystem['sizeBytes'] = (path) => this.#disk.sizeBytes(path)
  modifiedMs: FileSystem['modifiedMs'] = (path) => this.#disk.modifiedMs(path)
  syncDirectory: FileSystem['syncDirectory'] = (path) => this.#retried(() => this.#disk.syncDirectory(path))
  space: FileSystem['space'] = (path) => this.#disk.space(path)

  syncDirectoryInBackground: FileSystem['syncDirectoryInBackground'] = async (path) => {
    try {
      await this.#disk.syncDirectoryInBackground(path)
    } catch (error) {
      if (!isShortage(error)) throw error
      this.#makeRoom()
      await named(() => this.#disk.syncDirectoryInBackground(path))
    }
  }

  #retried<T>(operation: () => T): T {
    try {
      return operation()
    } catch (error) {
      if (!isShortage(error)) throw error
    }
    this.#makeRoom()
    try {
      return operation()
    } catch (error) {
      throw explained(error)
    }
  }
}

async function named(operation: () => Promise<void>): Promise<void> {
  try {
    await operation()
  } catch (error) {
    throw explained(error)
  }
}

export function isShortage(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EMFILE' || code === 'ENFILE'
}

/** Tells the operator what to change; the code stays. */
function explained(error: unknown): unknown {
  if (!isShortage(error)) return error
  const cause = error as NodeJS.ErrnoException
  const message = `${cause.message}: the process has no file descriptors left, also after closing its idle files; raise its limit (ulimit -n)`
  return Object.assign(new Error(message, { cause }), { code: cause.code })
}
