/**
 * A TCP proxy that now and then holds what goes one way through a connection for seconds, and lets it go then, to whoever was meant to
 * have it: also when the other side has given up and is long connected anew. So frames arrive late, and behind those that were sent after
 * them on another connection. Runs in the namespace of the node that it stands before.
 *
 * `node holding-proxy-main.ts '{"host":…,"ports":[[from,to],…],"seed":…,"share":…,"holdMs":[min,max]}'`: prints `ready`; when its input ends it
 * lets everything go and ends.
 */
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { seededRandom } from '@kavka/kernel'
import type { HoldingProxySettings } from './holding-proxy.ts'

const { host, ports, seed, share, holdMs } = JSON.parse(process.argv[2]!) as HoldingProxySettings
const random = seededRandom(seed)
const holds = new Set<{ release(): void }>()
/** What is delivered last must be read before its connection ends. */
const GRACE_MS = 500

/** One direction of a connection, until its sender has closed and everything is delivered. */
class Way {
  readonly #to: Socket
  readonly #whenOver: () => void
  #held: Buffer[] | null = null
  #over = false

  constructor(to: Socket, whenOver: () => void) {
    this.#to = to
    this.#whenOver = whenOver
  }

  take(chunk: Buffer): void {
    if (this.#held === null && random.unit() < share) this.#hold()
    if (this.#held !== null) this.#held.push(chunk)
    else if (!this.#to.destroyed) this.#to.write(chunk)
  }

  closed(): void {
    this.#over = true
    if (this.#held === null) this.#whenOver()
  }

  #hold(): void {
    this.#held = []
    const hold = { release: (): void => this.#release() }
    holds.add(hold)
    const [min, max] = holdMs
    setTimeout(() => {
      holds.delete(hold)
      this.#release()
    }, min + random.unit() * (max - min))
  }

  #release(): void {
    const held = this.#held ?? []
    this.#held = null
    if (!this.#to.destroyed) for (const chunk of held) this.#to.write(chunk)
    if (this.#over) setTimeout(this.#whenOver, GRACE_MS)
  }
}

function passOn(near: Socket, port: number): void {
  const far = connect({ host, port })
  near.on('error', () => {})
  far.on('error', () => near.resetAndDestroy())
  oneWay(near, far)
  oneWay(far, near)
}

function oneWay(from: Socket, to: Socket): void {
  from.setNoDelay(true)
  const way = new Way(to, () => to.destroy())
  from.on('data', (chunk: Buffer) => way.take(chunk))
  from.on('close', () => way.closed())
}

let listening = 0
for (const [from, to] of ports) {
  createServer((near) => passOn(near, to)).listen(from, host, () => {
    listening++
    if (listening === ports.length) process.stdout.write('ready\n')
  })
}

process.stdin.resume().on('end', () => {
  for (const { release } of holds) release()
  setTimeout(() => process.exit(0), GRACE_MS)
})
