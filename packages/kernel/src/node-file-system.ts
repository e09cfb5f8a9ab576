import * as fs from 'node:fs'
import type { File, FileMode, FileSystem } from './file-system.ts'

const flagsByMode: Record<FileMode, number> = {
  read: fs.constants.O_RDONLY,
  'read-write': fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
}

/** The machine's own disk. */
export const nodeFileSystem: FileSystem = {
  open: (path, mode) => openFile(path, mode),
  readFile: (path) => fs.readFileSync(path),
  writeFile: (path, content) => fs.writeFileSync(path, content),
  exists: (path) => fs.existsSync(path),
  list: (path) => fs.readdirSync(path).toSorted(),
  isDirectory: (path) => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  makeDirectory: (path) => {
    fs.mkdirSync(path, { recursive: true })
  },
  rename: (from, to) => fs.renameSync(from, to),
  removeFile: (path) => fs.unlinkSync(path),
  removeDirectory: (path) => fs.rmSync(path, { recursive: true, force: true }),
  removeInBackground: (path) =>
    new Promise((resolve, reject) => {
      fs.rm(path, { recursive: true, force: true }, (error) => {
        if (error) reject(error)
        else resolve()
      })
    }),
  sizeBytes: (path) => fs.statSync(path).size,
  modifiedMs: (path) => Math.floor(fs.statSync(path).mtimeMs),
  syncDirectory: (path) => {
    const descriptor = fs.openSync(path, fs.constants.O_RDONLY)
    try {
      fs.fsyncSync(descriptor)
    } finally {
      fs.closeSync(descriptor)
    }
  },
  syncDirectoryInBackground: (path) => syncDirectoryInBackground(path),
  space: (path) => {
    const stats = fs.statfsSync(path)
    return { totalBytes: stats.blocks * stats.bsize, usableBytes: stats.bavail * stats.bsize }
  },
}

async function syncDirectoryInBackground(path: string): Promise<void> {
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY)
  try {
    await new Promise<void>((resolve, reject) => {
      fs.fsync(descriptor, (error) => {
        if (error) reject(error)
        else resolve()
      })
    })
  } finally {
    fs.closeSync(descriptor)
  }
}

function openFile(path: string, mode: FileMode): File {
  const descriptor = fs.openSync(path, flagsByMode[mode], 0o644)
  return {
    path,
    sizeBytes: () => fs.fstatSync(descriptor).size,
    readSync: (target, targetOffset, length, position) => readFully(descriptor, target, targetOffset, length, position),
    read: (target, targetOffset, length, position) =>
      new Promise((resolve, reject) => {
        fs.read(descriptor, target, targetOffset, length, position, (error, bytesRead) => {
          if (error) reject(error)
          else resolve(bytesRead)
        })
      }),
    writevSync: (buffers, position) => writeFully(descriptor, buffers, position),
    truncateSync: (sizeBytes) => fs.ftruncateSync(descriptor, sizeBytes),
    sync: () =>
      new Promise((resolve, reject) => {
        fs.fdatasync(descriptor, (error) => {
          if (error) reject(error)
          else resolve()
        })
      }),
    syncSync: () => fs.fdatasyncSync(descriptor),
    close: () => fs.closeSync(descriptor),
  }
}

function readFully(descriptor: number, target: Buffer, targetOffset: number, length: number, position: number): number {
  let done = 0
  while (done < length) {
    const count = fs.readSync(descriptor, target, targetOffset + done, length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}

/** `writev` may write less than asked (a full disk, a signal): go on from there, so that the caller sees all or an error. */
function writeFully(descriptor: number, buffers: readonly Uint8Array[], position: number): void {
  let pending = buffers
  let at = position
  while (pending.length > 0) {
    let written = fs.writevSync(descriptor, pending as Uint8Array[], at)
    at += written
    let index = 0
    while (index < pending.length && written >= pending[index]!.length) written -= pending[index++]!.length
    pending = pending.slice(index)
    if (written > 0) pending = [pending[0]!.subarray(written), ...pending.slice(1)]
  }
}
