import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface HoldingProxySettings {
  /** Address of the node that it stands before. */
  readonly host: string
  /** Where it listens, and where that leads. */
  readonly ports: readonly (readonly [from: number, to: number])[]
  readonly seed: number
  /** Share of the chunks at which it begins to hold. */
  readonly share: number
  readonly holdMs: readonly [min: number, max: number]
}

const MAIN = fileURLToPath(new URL('./holding-proxy-main.ts', import.meta.url))

/** The process of `holding-proxy-main.ts`. */
export class HoldingProxy {
  readonly #process: ChildProcess

  private constructor(child: ChildProcess) {
    this.#process = child
  }

  /** `wrapper`: a command that runs what follows it, as that of a namespace. Resolves when it listens. */
  static async start(settings: HoldingProxySettings, wrapper: readonly string[]): Promise<HoldingProxy> {
    const [command, ...args] = [...wrapper, process.execPath, '--conditions=@kavka/source', '--disable-warning=ExperimentalWarning', MAIN, JSON.stringify(settings)]
    const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = once(child, 'exit').then(() => {
      throw new Error('the proxy ended before it listened')
    })
    await Promise.race([once(child.stdout!, 'data'), ended])
    ended.catch(() => {})
    return new HoldingProxy(child)
  }

  /** Lets go what it holds and ends. */
  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit')
    this.#process.stdin!.end()
    await exited
  }
}
