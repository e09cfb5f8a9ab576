/**
 * Finds out whether a machine can be reached before gRPC dials it: a dial of grpc-js cannot be broken off while its handshake is under way,
 * and the kernel would repeat it for two minutes, at ever longer intervals, whether anybody waits for it or not.
 */
import { connect, isIP } from 'node:net'
import type { Scheduler, TimerHandle } from '@kavka/kernel'
import type { NodeAddress } from './node-address.ts'
import { afterPatience } from './patient-timer.ts'

/** The kernel of a reachable machine completes a handshake within a round trip, however busy its processes are. */
export const HANDSHAKE_MS_MAX = 1_000

export interface Knock {
  /** Resolves when the machine answered; rejects when it refused, or was silent for `HANDSHAKE_MS_MAX`, or was not waited for. */
  readonly answered: Promise<void>
  cancel(): void
}

/** Opens a TCP connection and closes it again. Resolving the name may take as long as it takes. */
export function knock({ host, port }: NodeAddress, { scheduler }: { readonly scheduler: Scheduler }): Knock {
  const socket = connect({ host, port })
  const answered = new Promise<void>((resolve, reject) => {
    let timer: TimerHandle | null = null
    function startTimer(): void {
      timer ??= afterPatience(scheduler, HANDSHAKE_MS_MAX, () => socket.destroy(new Error(`no connection within ${HANDSHAKE_MS_MAX} ms`)))
    }
    if (isIP(host) !== 0) startTimer()
    else socket.once('lookup', startTimer)
    socket.once('connect', () => {
      resolve()
      socket.destroy()
    })
    socket.on('error', reject)
    socket.once('close', () => {
      timer?.cancel()
      reject(new Error('not waited for'))
    })
  })
  return { answered, cancel: () => void socket.destroy() }
}
