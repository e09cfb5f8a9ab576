/** For tests and the benchmark: a listener like a broker's, which looks at the first bytes and hands HTTP/2 to the endpoint. */
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import type { AllowedServices, GrpcEndpoint } from '../grpc-endpoint.ts'

export interface LoopbackListener {
  readonly port: number
  close(): Promise<void>
}

export async function listenOnLoopback(
  { allowed, port = 0 }: { allowed: AllowedServices; port?: number },
  endpoint: GrpcEndpoint,
): Promise<LoopbackListener> {
  const server = createServer((socket) => sniff(socket, allowed, endpoint))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return { port: portOf(server), close: () => closeAll(server, endpoint) }
}

function sniff(socket: Socket, allowed: AllowedServices, endpoint: GrpcEndpoint): void {
  socket.on('error', () => {})
  socket.once('data', (chunk: Buffer) => {
    socket.pause()
    socket.unshift(chunk)
    if (chunk.subarray(0, 4).toString('latin1') === 'PRI ') endpoint.accept(socket, allowed)
    else socket.destroy()
  })
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP')
  return address.port
}

function closeAll(server: Server, endpoint: GrpcEndpoint): Promise<void> {
  endpoint.close()
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
