/** Dials for a call: TCP, read straight into the memory of the call, and TLS on top where the credentials ask for it. */
import { connect, isIP } from 'node:net'
import type { Socket } from 'node:net'
import type { ChannelCredentials } from '@grpc/grpc-js'
import { every } from '@kavka/kernel'
import type { Scheduler, TimerHandle } from '@kavka/kernel'
import { ConnectionWatch } from '../connection-watch.ts'
import { PING_INTERVAL_MS, targetOf } from '../grpc-client.ts'
import type { DialDeps } from '../grpc-client.ts'
import { HANDSHAKE_MS_MAX } from '../knock.ts'
import type { NodeAddress } from '../node-address.ts'
import { afterPatience } from '../patient-timer.ts'
import type { CallSocket } from './call-socket.ts'

/** Returns how to hang up; the call fails by itself when dialing does, when the connection ends, and when nothing is heard on it. */
export function connectCall(call: CallSocket, address: NodeAddress, { scheduler, credentialsOf }: DialDeps): () => void {
  const credentials = credentialsOf(address)
  const watch = new ConnectionWatch({}, { scheduler, lost: (reason) => call.fail(reason) })
  const pings = every(scheduler, PING_INTERVAL_MS, () => call.ping())
  const attached = (socket: Socket): void => {
    call.attach(socket)
    watch.connected(socket)
  }
  const disconnect = credentials._isSecure()
    ? connectSecurely(call, address, { credentials, scheduler, attached, dialed: (socket) => watch.connected(socket) })
    : connectPlainly(call, address, { scheduler, attached })
  return () => {
    watch.stop()
    pings.cancel()
    disconnect()
  }
}

interface ConnectDeps {
  readonly scheduler: Scheduler
  readonly attached: (socket: Socket) => void
}

interface SecureConnectDeps extends ConnectDeps {
  readonly credentials: ChannelCredentials
  readonly dialed: (plain: Socket) => void
}

function connectPlainly(call: CallSocket, { host, port }: NodeAddress, { scheduler, attached }: ConnectDeps): () => void {
  const socket: Socket = connect({
    host,
    port,
    noDelay: true,
    onread: {
      buffer: () => call.room(),
      callback: (bytes) => {
        call.filled(bytes)
        return true
      },
    },
  })
  socket.once('connect', () => attached(socket))
  endWith(call, socket)
  limitHandshake(socket, host, scheduler)
  return () => socket.destroy()
}

function connectSecurely(
  call: CallSocket,
  { host, port }: NodeAddress,
  { scheduler, attached, credentials, dialed }: SecureConnectDeps,
): () => void {
  const plain = connect({ host, port, noDelay: true })
  const connector = credentials._createSecureConnector({ scheme: 'dns', path: targetOf({ host, port }).slice('dns:'.length) }, {})
  async function secure(): Promise<void> {
    await connector.waitForReady()
    const { socket } = await connector.connect(plain)
    socket.on('data', (bytes: Buffer) => call.chunk(bytes))
    endWith(call, socket)
    attached(socket)
  }
  plain.once('connect', () => {
    // Watched from here on: a machine that accepts and says nothing must not hold the handshake of TLS for ever.
    dialed(plain)
    secure().catch((error: Error) => {
      plain.destroy()
      call.fail(error.message)
    })
  })
  plain.on('error', (error) => call.fail(reasonOf(error)))
  plain.once('close', () => call.fail('the connection was closed'))
  limitHandshake(plain, host, scheduler)
  return () => {
    connector.destroy()
    plain.destroy()
  }
}

/** The kernel would try for two minutes, at ever longer intervals. Resolving the name may take as long as it takes. */
function limitHandshake(socket: Socket, host: string, scheduler: Scheduler): void {
  let timer: TimerHandle | null = null
  function startTimer(): void {
    timer ??= afterPatience(scheduler, HANDSHAKE_MS_MAX, () => socket.destroy(new Error(`no connection within ${HANDSHAKE_MS_MAX} ms`)))
  }
  if (isIP(host) !== 0) startTimer()
  else socket.once('lookup', startTimer)
  socket.once('connect', () => timer?.cancel())
  socket.once('close', () => timer?.cancel())
}

/** However the socket ends, so does the call. */
function endWith(call: CallSocket, socket: Socket): void {
  let reason = 'the connection was closed'
  socket.on('error', (error) => {
    reason = reasonOf(error)
  })
  socket.once('close', () => call.fail(reason))
  socket.resume()
}

/** An attempt at several addresses has its errors in a list and no text. */
function reasonOf(error: NodeJS.ErrnoException): string {
  return error.message === '' ? (error.code ?? error.name) : error.message
}
