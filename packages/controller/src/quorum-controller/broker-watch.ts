/**
 * Finds out that brokers are dead. A liveness stream that breaks makes the controller knock at the broker's
 * port: refused means that the process is gone, and it is fenced within milliseconds; an answer, or silence,
 * proves nothing, and the session time-out decides.
 */
import type { Logger, Scheduler } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import type { BrokerSessions } from '../metadata/brokers/broker-sessions.ts'
import type { BrokerRegistration, Endpoint, MetadataImage } from '../metadata/image.ts'
import type { LivenessProbe } from '../ports.ts'

export interface BrokerWatchOptions {
  /** The listener between brokers: where a broker is knocked at. */
  readonly probeListener: string
}

export interface BrokerWatchDependencies {
  readonly sessions: BrokerSessions
  readonly probe: LivenessProbe
  readonly scheduler: Scheduler
  readonly log: Logger
  /** Null while this controller is not active. */
  readonly image: () => MetadataImage | null
  /** The process of that registration is gone. */
  readonly onDead: (brokerId: NodeId, brokerEpoch: number) => void
}

/**
 * A killed process may have its port open for some moments more than its streams, and a stream that broke for
 * another reason is opened anew soon: so it is knocked again after these pauses, until there is a stream or a
 * verdict.
 */
const PROBE_PAUSES_MS: readonly number[] = [0, 20, 50, 100, 250, 500, 1000, 2000]

export class BrokerWatch {
  readonly #probeListener: string
  readonly #deps: BrokerWatchDependencies
  /** Registrations under suspicion, so that each is knocked at once at a time. */
  readonly #suspects = new Map<NodeId, number>()

  constructor({ probeListener }: BrokerWatchOptions, dependencies: BrokerWatchDependencies) {
    this.#probeListener = probeListener
    this.#deps = dependencies
  }

  /**
   * Right after this controller became active: whoever died with the last one is noticed now, not by
   * time-out.
   */
  suspectAllWithoutStream(image: MetadataImage): void {
    for (const broker of image.brokers.values()) if (!broker.fenced) this.suspect(broker.id, broker.epoch)
  }

  suspect(brokerId: NodeId, brokerEpoch: number): void {
    if (this.#suspects.get(brokerId) === brokerEpoch) return
    this.#suspects.set(brokerId, brokerEpoch)
    this.#knock(brokerId, brokerEpoch, 0)
  }

  #knock(brokerId: NodeId, brokerEpoch: number, attempt: number): void {
    const broker = this.#stillSuspect(brokerId, brokerEpoch)
    const pauseMs = PROBE_PAUSES_MS[attempt]
    if (broker === null || pauseMs === undefined) return this.#acquit(brokerId, brokerEpoch)
    this.#deps.scheduler.after(pauseMs, () => {
      const current = this.#stillSuspect(brokerId, brokerEpoch)
      if (current === null) return this.#acquit(brokerId, brokerEpoch)
      void this.#probe(current, attempt)
    })
  }

  async #probe(broker: BrokerRegistration, attempt: number): Promise<void> {
    const endpoints = this.#endpointsOf(broker)
    const verdicts = await Promise.all(endpoints.map((endpoint) => this.#deps.probe.probe(endpoint)))
    const isDead = verdicts.length > 0 && verdicts.every((verdict) => verdict === 'refused')
    const { id, epoch } = broker
    // While the probe was out, the broker may have come back or registered anew, or this controller may have
    // been replaced.
    if (this.#stillSuspect(id, epoch) === null) return this.#acquit(id, epoch)
    if (!isDead) return this.#knock(id, epoch, attempt + 1)
    this.#acquit(id, epoch)
    this.#deps.log.warn(
      { brokerId: id, brokerEpoch: epoch, endpoints },
      'broker is gone: its port refuses connections',
    )
    this.#deps.onDead(id, epoch)
  }

  /**
   * A controller that was not told the name of the listener between brokers asks at all of them: one alone may be
   * an address for outsiders (`localhost:9092` of a container), where a refusal says nothing about the broker.
   */
  #endpointsOf({ endpoints }: BrokerRegistration): readonly Endpoint[] {
    const between = endpoints.find(({ listener }) => listener === this.#probeListener)
    return between === undefined ? endpoints : [between]
  }

  #stillSuspect(brokerId: NodeId, brokerEpoch: number): BrokerRegistration | null {
    const broker = this.#deps.image()?.brokers.get(brokerId)
    const gone = broker === undefined || broker.epoch !== brokerEpoch || broker.fenced
    return gone || this.#deps.sessions.hasStream(brokerId, brokerEpoch) ? null : broker
  }

  #acquit(brokerId: NodeId, brokerEpoch: number): void {
    if (this.#suspects.get(brokerId) === brokerEpoch) this.#suspects.delete(brokerId)
  }
}
