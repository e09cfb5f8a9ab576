import type { NodeId } from '@kavka/protocol'
import { headersFor } from '../call-headers.ts'
import { CONNECT_TIMEOUT_MS, dial } from '../grpc-client.ts'
import type { DialDeps } from '../grpc-client.ts'
import type { NodeAddress } from '../node-address.ts'
import { passThrough } from '../service-provider.ts'
import { SESSION_PATH } from './controller-calls.ts'

export interface SessionOptions {
  readonly clusterId: string
  readonly brokerId: NodeId
  readonly brokerEpoch: number
}

/** The liveness stream of a broker on a connection of its own; `onClosed` comes once unless `close` was called before. */
export function openRemoteSession(
  controller: NodeAddress,
  options: SessionOptions,
  deps: DialDeps,
  onClosed: () => void,
): { close(): void } {
  const connection = dial(controller, deps, broken)
  const headers = headersFor({ clusterId: options.clusterId, nodeId: options.brokerId, brokerEpoch: options.brokerEpoch })
  const call = connection.client.makeBidiStreamRequest<Buffer, Buffer>(SESSION_PATH, passThrough, passThrough, headers)
  const timeout = deps.scheduler.after(CONNECT_TIMEOUT_MS, broken)
  let open = true

  function release(): void {
    open = false
    timeout.cancel()
    call.cancel()
    connection.close()
  }

  function broken(): void {
    if (!open) return
    release()
    onClosed()
  }

  call.once('metadata', () => timeout.cancel())
  call.on('data', () => {})
  call.on('error', broken)
  call.on('end', broken)
  return { close: release }
}
