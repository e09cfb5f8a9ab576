import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClusterMember } from './cluster-folder.ts'

/** How a member's process ended. */
export interface MemberExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A member as a process of its own; its log goes to a file beside its data. */
export interface MemberProcess {
  readonly member: ClusterMember
  readonly logFile: string
  readonly pid: number
  /** Resolves with the line it prints when it serves; rejects nothing: null when it ended before. */
  readonly serving: Promise<string | null>
  readonly exited: Promise<MemberExit>
  stop(): void
}

const kavkaCommand = fileURLToPath(new URL('../../bin/kavka.mjs', import.meta.url))

/** Starts `kavka server` for one member. */
export function startMember(member: ClusterMember): MemberProcess {
  const logFile = `${member.settings.layout.dataDirectories[0]!}.log`
  mkdirSync(dirname(logFile), { recursive: true })
  const child = spawn(process.execPath, [kavkaCommand, 'server', member.file], {
    stdio: ['ignore', 'pipe', openSync(logFile, 'a')],
    env: withoutStartupCosts(process.env),
  })
  const exited = new Promise<MemberExit>((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }))
  })
  return {
    member,
    logFile,
    pid: child.pid ?? -1,
    serving: Promise.race([firstLine(child), exited.then(() => null)]),
    exited,
    stop: () => {
      child.kill('SIGTERM')
    },
  }
}

/** Extra certificates are parsed at every start and cost 50 ms; nothing here speaks TLS to the outside. */
function withoutStartupCosts(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...rest } = environment
  return rest
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
  })
}
