/** What the transport's channel to the active controller promises, over the simulated network. */
import { LeaderSessions } from '@kavka/controller'
import type { ControllerChannel, ControllerReply, ControllerRequest, ControllerService } from '@kavka/controller'
import type { Scheduler } from '@kavka/kernel'
import { apis, Reader, Writer } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { Network } from '../world/network.ts'

export interface ChannelDependencies {
  readonly network: Network
  readonly scheduler: Scheduler
  readonly localService: () => ControllerService | null
  readonly serviceOf: (id: NodeId) => ControllerService | null
}

export class SimulatedControllerChannel implements ControllerChannel {
  readonly #nodeId: NodeId
  readonly #dependencies: ChannelDependencies
  readonly #sessions = new LeaderSessions()
  #leaderId: NodeId | null = null

  constructor(options: { readonly nodeId: NodeId }, dependencies: ChannelDependencies) {
    this.#nodeId = options.nodeId
    this.#dependencies = dependencies
  }

  setLeader(leaderId: NodeId | null): void {
    if (this.#leaderId === leaderId) return
    this.#leaderId = leaderId
    if (leaderId === null) return
    this.#sessions.loseAllBut(leaderId)
  }

  request(request: ControllerRequest, timeoutMs: number): Promise<ControllerReply> {
    const leaderId = this.#leaderId
    if (leaderId === null) return Promise.resolve({ kind: 'not-controller', leaderId: null })
    return leaderId === this.#nodeId ? this.#locally(request, timeoutMs) : this.#remotely(leaderId, request, timeoutMs)
  }

  openSession(
    { brokerId, brokerEpoch }: { readonly brokerId: NodeId; readonly brokerEpoch: number },
    onClosed: () => void,
  ): { close(): void } {
    const leaderId = this.#leaderId
    const { scheduler, network, serviceOf, localService } = this.#dependencies
    if (leaderId === null) {
      let isOpen = true
      scheduler.soon(() => isOpen && onClosed())
      return { close: () => void (isOpen = false) }
    }
    const service = localService()
    if (leaderId === this.#nodeId && service !== null) {
      service.sessionOpened(brokerId, brokerEpoch)
      return this.#sessions.track(leaderId, onClosed, () => ({ close: () => service.sessionLost(brokerId, brokerEpoch) }))
    }
    return this.#sessions.track(leaderId, onClosed, (broken) => {
      const connection = network.connect(this.#nodeId, leaderId, {
        accepted: () => serviceOf(leaderId)?.sessionOpened(brokerId, brokerEpoch),
        endedAtOpener: broken,
        endedAtTarget: () => serviceOf(leaderId)?.sessionLost(brokerId, brokerEpoch),
      })
      return { close: () => connection.close(this.#nodeId) }
    })
  }

  close(): void {
    this.#leaderId = null
    this.#sessions.close()
  }

  #locally(request: ControllerRequest, timeoutMs: number): Promise<ControllerReply> {
    const service = this.#dependencies.localService()
    return new Promise((resolve) => {
      const timer = this.#dependencies.scheduler.after(timeoutMs, () => resolve({ kind: 'unreachable' }))
      void service!.handle(request).then((reply) => {
        timer.cancel()
        resolve(reply)
      })
    })
  }

  async #remotely(leaderId: NodeId, request: ControllerRequest, timeoutMs: number): Promise<ControllerReply> {
    const { network, serviceOf } = this.#dependencies
    const body = overTheWire(request, 'requestCodec', request.body)
    const reply = await network.call(this.#nodeId, leaderId, timeoutMs, async (): Promise<ControllerReply> => {
      const service = serviceOf(leaderId)
      return service === null ? { kind: 'not-controller', leaderId: null } : await service.handle({ ...request, body })
    })
    if (reply === null) return { kind: 'unreachable' }
    return reply.kind === 'answered' ? { kind: 'answered', body: overTheWire(request, 'responseCodec', reply.body) } : reply
  }
}

/** Only what the schema carries reaches the other side. */
function overTheWire({ apiKey, apiVersion }: ControllerRequest, side: 'requestCodec' | 'responseCodec', body: unknown): unknown {
  const codec = apis.get(apiKey)![side]
  const writer = new Writer()
  codec.encode(writer, body as never, apiVersion)
  return codec.decode(new Reader(writer.toBuffer()), apiVersion)
}
