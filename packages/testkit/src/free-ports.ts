/** Ports for the servers of a test. */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below the range from which systems give ports to outgoing connections: one of those must not take the port of a node that restarts. */
const PORT_MIN = 14_000
const PORT_MAX = 32_000

/** Given out by this process: what is free now may be bound in a moment. */
const taken = new Set<number>()

/** Ports that nobody listens on, different ones at each call. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = randomInt(PORT_MIN, PORT_MAX)
    if (taken.has(port) || !(await isFree(port))) continue
    taken.add(port)
    ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
