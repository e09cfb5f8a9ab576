import type { Scheduler } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { headersFor } from '../call-headers.ts'
import { CONNECT_TIMEOUT_MS, dial } from '../grpc-client.ts'
import type { CredentialsOf, NodeAddress } from '../grpc-client.ts'
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
  { scheduler, credentialsOf }: { scheduler: Scheduler; credentialsOf: CredentialsOf },
  onClosed: () => void,
): { close(): void } {
  const connection = dial(controller, credentialsOf)
  const headers = headersFor({ clusterId: options.clusterId, nodeId: options.brokerId, brokerEpoch: options.brokerEpoch })
  const call = connection.client.makeBidiStreamRequest<Buffer, Buffer>(SESSION_PATH, passThrough, passThrough, headers)
  const timeout = scheduler.after(CONNECT_TIMEOUT_MS, broken)
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
