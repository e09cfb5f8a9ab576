import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { runCommand } from '../../foreign/kafka-tools.ts'

/** Waits until what was written below the folder is on the disk: the writes of one measurement must not be paid by the next. */
export async function settleDisk(directory: string): Promise<void> {
  await checked('sync', ['-f', directory])
}

/**
 * Makes the system forget the content of the files, so that the next read comes from the disk. `dd` with `nocache` and nothing to copy
 * is the one everyday tool that asks for it (posix_fadvise POSIX_FADV_DONTNEED); only what is on the disk already can be forgotten.
 */
export async function forgetFiles(files: readonly string[]): Promise<void> {
  for (const file of files) {
    await checked('sync', [file])
    await checked('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none'])
  }
}

/** Has the system keep the content of the files in memory, where something else may have driven it out. */
export async function rememberFiles(files: readonly string[]): Promise<void> {
  for (const file of files) await pipeline(createReadStream(file), new Writable({ write: (_chunk, _encoding, done) => done() }))
}

/** Segments of a topic below a data directory. */
export function segmentsOf(dataDirectory: string, topic: string): string[] {
  return readdirSync(dataDirectory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(`${topic}-`) && /^\d+$/.test(entry.name.slice(topic.length + 1)))
    .flatMap((entry) => readdirSync(join(dataDirectory, entry.name)).filter((name) => name.endsWith('.log')).map((name) => join(dataDirectory, entry.name, name)))
}

async function checked(command: string, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runCommand(command, args)
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}
