import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { stopSignal } from '../node/stop-signal.ts'
import { UsageError } from '../usage-error.ts'
import { readClusterFolder } from './cluster-folder.ts'
import { startMember } from './member-process.ts'
import type { MemberExit, MemberProcess } from './member-process.ts'
import { welcome } from './welcome.ts'

/** Runs every node of a folder as a process, tells how to use them, and stops them all on Ctrl-C. */
export async function runCluster(folder: string): Promise<void> {
  const members = readClusterFolder(folder)
  const stop = stopSignal()
  const startedMs = performance.now()
  const processes = members.map(startMember)
  let stopping = false
  for (const process_ of processes) void process_.exited.then((exit) => stopping || reportExit(process_, exit))
  const stopRequested = once(stop, 'stop')
  const serving = await Promise.race([Promise.all(processes.map((one) => one.serving)), stopRequested.then(() => null)])
  if (serving !== null) {
    if (serving.every((line) => line === null)) throw new UsageError('kavka: no node could start')
    process.stdout.write(welcome(members, performance.now() - startedMs))
    await Promise.race([stopRequested, Promise.all(processes.map((one) => one.exited))])
  }
  stopping = true
  process.stdout.write('\nStopping …\n')
  for (const one of processes) one.stop()
  const exits = await Promise.all(processes.map((one) => one.exited))
  process.stdout.write('Stopped.\n')
  if (exits.some((exit) => exit.code !== 0 && exit.signal === null)) process.exitCode = 1
}

function reportExit({ member, logFile, pid }: MemberProcess, { code, signal }: MemberExit): void {
  const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`
  process.stdout.write(
    `${member.name} (process ${pid}) ${how}; its log is ${logFile}\n${signal === null ? lastLines(logFile) : ''}` +
      `  start it again: npx kavka server ${member.file}\n`,
  )
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5).map((line) => `  ${line}\n`).join('')
}
