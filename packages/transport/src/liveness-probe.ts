import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { LivenessProbe } from '@kavka/controller'
import type { Scheduler } from '@kavka/kernel'
import type { NodeAddress } from './node-address.ts'
import { afterPatience } from './patient-timer.ts'

/** Silence for so long proves nothing and is reported as such. */
export const PROBE_TIMEOUT_MS = 500

export type ProbeResult = Awaited<ReturnType<LivenessProbe['probe']>>

/**
 * Tells a dead process from a broken connection by opening a TCP connection and closing it again: the kernel of a machine whose
 * process was killed refuses at once. A host name that resolves to several addresses is refused only when all of them refuse.
 */
export class TcpLivenessProbe implements LivenessProbe {
  readonly #scheduler: Scheduler

  constructor(_options: Record<string, never>, { scheduler }: { scheduler: Scheduler }) {
    this.#scheduler = scheduler
  }

  probe(address: NodeAddress): Promise<ProbeResult> {
    return new Promise((resolve) => {
      const socket = connect({ host: address.host, port: address.port })
      const timer = afterPatience(this.#scheduler, PROBE_TIMEOUT_MS, () => settle('unknown'))
      function settle(result: ProbeResult): void {
        timer.cancel()
        abandon(socket)
        resolve(result)
      }
      socket.once('connect', () => settle('answered'))
      socket.once('error', (error) => settle(isRefusal(error) ? 'refused' : 'unknown'))
    })
  }
}

/** Errors after the verdict are nobody's business. */
function abandon(socket: Socket): void {
  socket.on('error', () => {})
  socket.destroy()
}

function isRefusal(error: NodeJS.ErrnoException): boolean {
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isRefusal)
  return error.code === 'ECONNREFUSED'
}
