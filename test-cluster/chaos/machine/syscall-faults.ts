import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Makes the syncs of a running process fail or wait, by strace, until it is stopped. */
export class SyscallFaults {
  readonly #tracer: ChildProcess

  private constructor(tracer: ChildProcess) {
    this.#tracer = tracer
  }

  /** `injection` as strace takes it: `error=EIO`, `delay_enter=200000` (microseconds). Resolves when it is attached. */
  static async onSyncs(pid: number, injection: string): Promise<SyscallFaults> {
    const calls = 'fsync,fdatasync,sync_file_range'
    const tracer = spawn('strace', ['-f', '-p', String(pid), '-e', `trace=${calls}`, '-e', `inject=${calls}:${injection}`, '-o', '/dev/null'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    await new Promise<void>((resolve, reject) => {
      let said = ''
      tracer.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        if (said.includes('attached')) resolve()
      })
      tracer.once('error', reject)
      tracer.once('exit', () => reject(new Error(`strace: ${said}`)))
    })
    return new SyscallFaults(tracer)
  }

  async stop(): Promise<void> {
    if (this.#tracer.exitCode !== null || this.#tracer.signalCode !== null) return
    const gone = once(this.#tracer, 'exit')
    this.#tracer.kill('SIGINT')
    await gone
  }
}
