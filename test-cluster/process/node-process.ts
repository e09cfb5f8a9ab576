import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

const kavkaCommand = fileURLToPath(new URL('../../packages/kavka/bin/kavka.mjs', import.meta.url))

export interface NodeProcessOptions {
  readonly nodeId: number
  readonly propertiesFile: string
  readonly logFile: string
  /** A command that replaces itself with the one after it (`nsenter …`), so that signals and the process id are the node's. */
  readonly wrapper?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** One `kavka server` as a real process that tests start, kill and look at. */
export class NodeProcess {
  readonly nodeId: number
  readonly propertiesFile: string
  readonly logFile: string
  readonly #wrapper: readonly string[]
  readonly #environment: Readonly<Record<string, string>>
  #child: ChildProcess | null = null
  #output = ''

  constructor(options: NodeProcessOptions) {
    this.nodeId = options.nodeId
    this.#wrapper = options.wrapper ?? []
    this.#environment = options.environment ?? {}
    this.propertiesFile = options.propertiesFile
    this.logFile = options.logFile
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`node ${this.nodeId} does not run`)
    return this.#child.pid
  }

  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Starts the process without waiting for it to serve. */
  launch(environment: Readonly<Record<string, string>> = {}): void {
    if (this.isRunning) throw new Error(`node ${this.nodeId} runs already`)
    const log = openSync(this.logFile, 'a')
    const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env
    this.#output = ''
    const [command, ...args] = [...this.#wrapper, process.execPath, kavkaCommand, 'server', this.propertiesFile]
    this.#child = spawn(command!, args, {
      stdio: ['ignore', 'pipe', log],
      env: { ...inherited, ...this.#environment, ...environment },
    })
    closeSync(log)
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString()
    })
  }

  /** Resolves when it printed the line that it serves; throws with its log when it ended instead. */
  async serving(withinMs = 20_000): Promise<void> {
    await eventually(
      () => {
        if (!this.isRunning) throw new Error(`node ${this.nodeId} ended before it served:\n${this.log().slice(-3000)}`)
        return this.#output.includes('\n')
      },
      { what: `node ${this.nodeId} serves`, withinMs, fatal: () => !this.isRunning },
    )
  }

  /** `kill -9` and friends; resolves when the process is gone, at once for signals that do not end it. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === null || !this.isRunning) return
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
    })
    child.kill(signal)
    if (signal === 'SIGKILL' || signal === 'SIGTERM' || signal === 'SIGINT') await exited
  }

  /** Exit code after the process ended; null when a signal ended it. */
  get exitCode(): number | null {
    return this.#child?.exitCode ?? null
  }

  get output(): string {
    return this.#output
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8')
  }
}
