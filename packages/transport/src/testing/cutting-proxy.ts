/** For tests: passes connections on until it cuts them, after which they are open and silent, as behind a pulled cable. New ones pass. */
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

export class CuttingProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #generation = 0

  private constructor(targetPort: number) {
    this.#server = createServer({ pauseOnConnect: true }, (near) => this.#passOn(near, targetPort))
  }

  static async to(targetPort: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(targetPort)
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', resolve)
    })
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** What is connected hears nothing more, not even that it is over. */
  cut(): void {
    this.#generation++
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  stop(): void {
    this.close()
  }

  #passOn(near: Socket, targetPort: number): void {
    const far = connect({ host: '127.0.0.1', port: targetPort })
    const generation = this.#generation
    const isWhole = (): boolean => generation === this.#generation
    for (const [from, to] of [[near, far], [far, near]] as const) {
      this.#sockets.add(from)
      from.on('error', () => {})
      from.on('data', (chunk) => {
        if (isWhole()) to.write(chunk)
      })
      from.on('close', () => {
        this.#sockets.delete(from)
        if (isWhole()) to.destroy()
      })
    }
    near.resume()
  }
}
