/**
 * A broker's membership in its cluster: registers, reports, keeps its session with the active controller, asks to be unfenced when it
 * has caught up, and leaves by controlled shutdown. Everything is repeated until it succeeds: controllers come and go.
 */
import { assert } from '@kavka/kernel'
import type { Logger, Result, Scheduler, TimerHandle } from '@kavka/kernel'
import { failure, success } from '@kavka/kernel'
import { nodeRequest } from '@kavka/controller'
import type { ControllerChannel, ControllerReply } from '@kavka/controller'
import { ApiKey, ErrorCode, errorName } from '@kavka/protocol'
import type {
  BrokerEpoch, BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerRegistrationRequest, BrokerRegistrationResponse, Encodable,
  NodeId, Uuid,
} from '@kavka/protocol'
import type { BrokerState } from './broker-state.ts'

const REGISTRATION_VERSION = 4
const HEARTBEAT_VERSION = 1
/** No controller is known: an election is under way, look again soon. */
const RETRY_PAUSE_MS = 20
/** The controller cannot be reached, or refused and is asked again. */
const REFUSED_PAUSE_MS = 100
/** Reports while something is expected of the controller: unfencing, or leave to shut down. */
const EAGER_HEARTBEAT_MS = 25
/** A controlled shutdown ends without the controller's leave when it was not heard of for so long. */
const CONTROLLER_SILENCE_MS_MAX = 2_000

export interface BrokerLifecycleOptions {
  readonly nodeId: NodeId
  readonly heartbeatIntervalMs: number
  /** `broker.session.timeout.ms` */
  readonly sessionTimeoutMs: number
  /** `replica.lag.time.max.ms` */
  readonly replicaLagMsMax: number
  readonly requestTimeoutMs: number
  /** `initial.broker.registration.timeout.ms` */
  readonly registrationTimeoutMs: number
  readonly controlledShutdownMsMax: number
  /** Asked at each attempt: ports are known once they are bound. */
  registration(): Encodable<BrokerRegistrationRequest>
}

export interface BrokerLifecycleDeps {
  readonly channel: ControllerChannel
  readonly scheduler: Scheduler
  readonly logger: Logger
  /** Offset of the newest metadata record that this broker has acted on. */
  metadataOffset(): number
  offlineLogDirs(): readonly Uuid[]
}

export class BrokerLifecycle {
  readonly #options: BrokerLifecycleOptions
  readonly #deps: BrokerLifecycleDeps
  #state: BrokerState = 'starting'
  #brokerEpoch = -1
  #isFenced = true
  #wantsShutDown = false
  #stopped = false
  #heartbeatUnderWay = false
  #mustReportAgain = false
  #heartbeatTimer: TimerHandle | null = null
  #session: { close(): void } | null = null
  #lastHeardMs = 0
  /** When the last heartbeat was sent that the controller answered to an unfenced broker. */
  #lastCountedMs = -Infinity
  #onUnfenced: ((result: Result<void, string>) => void) | null = null
  #onMayShutDown: (() => void) | null = null

  constructor(options: BrokerLifecycleOptions, deps: BrokerLifecycleDeps) {
    this.#options = options
    this.#deps = deps
  }

  get state(): BrokerState {
    return this.#state
  }

  /** -1 before the first registration. */
  get brokerEpoch(): BrokerEpoch {
    return this.#brokerEpoch as BrokerEpoch
  }

  get isFenced(): boolean {
    return this.#isFenced
  }

  /**
   * The controller counted this broker in less than half a session ago, by the clock from when it was asked, and less than half the time
   * after which a silent replica is out of sync. Nobody has been elected in its place because of its silence, then, and who was elected all
   * the same (a preferred leader came back) cannot have committed anything without it. The other halves are for a controller that was
   * replaced and had not noticed when it answered, and for clocks.
   */
  get isCountedIn(): boolean {
    const { sessionTimeoutMs, replicaLagMsMax } = this.#options
    const countsMs = Math.min(sessionTimeoutMs, replicaLagMsMax) / 2
    return !this.#isFenced && this.#deps.scheduler.monotonicMs() - this.#lastCountedMs < countsMs
  }

  /** Registers; resolves when the controller has unfenced this broker, or with why that will not happen. */
  start(): Promise<Result<void, string>> {
    assert(this.#brokerEpoch === -1, 'a broker starts once')
    return new Promise((resolve) => {
      this.#onUnfenced = resolve
      void this.#register(this.#deps.scheduler.monotonicMs() + this.#options.registrationTimeoutMs)
    })
  }

  /**
   * The image moved on: what the controller waits for may have happened. `broker-leaving`: it waits for every broker to have seen
   * this step before it lets the leaving one go, which would otherwise take a heartbeat interval.
   */
  metadataAdvanced(step: 'routine' | 'broker-leaving'): void {
    const waits = this.#brokerEpoch >= 0 && (this.#isFenced || this.#wantsShutDown || step === 'broker-leaving')
    if (waits && this.#deps.metadataOffset() >= this.#brokerEpoch) this.#hurryHeartbeat(0)
  }

  /** What was led from it should not wait for the next heartbeat. */
  directoryFailed(): void {
    // The report that is under way does not say it.
    this.#mustReportAgain = this.#heartbeatUnderWay
    if (this.#brokerEpoch >= 0) this.#hurryHeartbeat(0)
  }

  /** Asks the controller to move what is led here; resolves when it agrees, or when that takes too long. */
  controlledShutdown(): Promise<void> {
    if (this.#brokerEpoch < 0) return Promise.resolve()
    this.#state = 'pending-controlled-shutdown'
    this.#wantsShutDown = true
    this.#lastHeardMs = this.#deps.scheduler.monotonicMs()
    this.#hurryHeartbeat(0)
    return new Promise((resolve) => {
      const timer = this.#deps.scheduler.after(this.#options.controlledShutdownMsMax, () => this.#onMayShutDown?.())
      this.#onMayShutDown = () => {
        timer.cancel()
        this.#onMayShutDown = null
        resolve()
      }
    })
  }

  /** Reports no more and closes the session. */
  stop(): void {
    this.#stopped = true
    this.#state = 'shutting-down'
    this.#heartbeatTimer?.cancel()
    this.#session?.close()
    this.#session = null
    this.#onMayShutDown?.()
    this.#settleStart(failure('the broker was stopped'))
  }

  async #register(deadlineMs: number): Promise<void> {
    while (!this.#stopped) {
      const reply = await this.#ask(ApiKey.BrokerRegistration, REGISTRATION_VERSION, this.#options.registration())
      if (this.#stopped) return
      const refusal = this.#registrationRefusal(reply)
      if (refusal === null) return this.#registered((reply as { body: BrokerRegistrationResponse }).body.brokerEpoch)
      if (refusal.kind === 'final') return this.#settleStart(failure(refusal.reason))
      if (this.#brokerEpoch < 0 && this.#deps.scheduler.monotonicMs() > deadlineMs) {
        return this.#settleStart(failure(`no registration within initial.broker.registration.timeout.ms: ${refusal.reason}`))
      }
      await this.#pause(refusal.pauseMs)
    }
  }

  #registrationRefusal(reply: ControllerReply): Refusal | null {
    if (reply.kind === 'not-controller') return { kind: 'retry', reason: 'no active controller', pauseMs: RETRY_PAUSE_MS }
    if (reply.kind === 'unreachable') return { kind: 'retry', reason: 'the controller cannot be reached', pauseMs: REFUSED_PAUSE_MS }
    const errorCode = (reply.body as Partial<BrokerRegistrationResponse>).errorCode ?? ErrorCode.NONE
    if (errorCode === ErrorCode.NONE) return null
    const reason = `the controller answered ${errorName(errorCode)}`
    if (errorCode === ErrorCode.INCONSISTENT_CLUSTER_ID) return { kind: 'final', reason }
    this.#deps.logger.warn({ error: errorName(errorCode) }, 'registration was refused; trying again')
    return { kind: 'retry', reason, pauseMs: REFUSED_PAUSE_MS }
  }

  #registered(brokerEpoch: number): void {
    this.#brokerEpoch = brokerEpoch
    this.#isFenced = true
    this.#deps.logger.info({ brokerEpoch }, 'registered with the controller')
    this.#openSession()
    this.#hurryHeartbeat(0)
  }

  /** Its existence is the sign of life; when it ends there may be another controller to open it to. */
  #openSession(): void {
    if (this.#stopped) return
    this.#session?.close()
    const session = { brokerId: this.#options.nodeId, brokerEpoch: this.#brokerEpoch }
    this.#session = this.#deps.channel.openSession(session, () => {
      this.#session = null
      void this.#pause(RETRY_PAUSE_MS).then(() => this.#reopenSession(session.brokerEpoch))
    })
  }

  #reopenSession(brokerEpoch: number): void {
    if (this.#stopped || this.#session !== null || brokerEpoch !== this.#brokerEpoch) return
    this.#openSession()
    this.#hurryHeartbeat(0)
  }

  #hurryHeartbeat(delayMs: number): void {
    if (this.#stopped || this.#heartbeatUnderWay) return
    this.#heartbeatTimer?.cancel()
    this.#heartbeatTimer = null
    if (delayMs > 0) this.#heartbeatTimer = this.#deps.scheduler.after(delayMs, () => void this.#heartbeat())
    else void this.#heartbeat()
  }

  async #heartbeat(): Promise<void> {
    if (this.#heartbeatUnderWay || this.#stopped) return
    this.#heartbeatUnderWay = true
    const epoch = this.#brokerEpoch
    const reportedOffset = this.#deps.metadataOffset()
    const sentMs = this.#deps.scheduler.monotonicMs()
    const reply = await this.#ask(ApiKey.BrokerHeartbeat, HEARTBEAT_VERSION, this.#report(reportedOffset))
    this.#heartbeatUnderWay = false
    if (this.#stopped) return
    if (epoch !== this.#brokerEpoch) return this.#hurryHeartbeat(0)
    this.#handle(reply, reportedOffset, sentMs)
    if (!this.#mustReportAgain) return
    this.#mustReportAgain = false
    this.#hurryHeartbeat(0)
  }

  #report(currentMetadataOffset: number): Encodable<BrokerHeartbeatRequest> {
    return {
      brokerId: this.#options.nodeId,
      brokerEpoch: this.#brokerEpoch,
      currentMetadataOffset,
      wantFence: false,
      wantShutDown: this.#wantsShutDown,
      offlineLogDirs: this.#deps.offlineLogDirs(),
    }
  }

  #handle(reply: ControllerReply, reportedOffset: number, sentMs: number): void {
    if (reply.kind !== 'answered') return this.#notHeard(reply.kind === 'not-controller' ? RETRY_PAUSE_MS : REFUSED_PAUSE_MS)
    const body = reply.body as Partial<BrokerHeartbeatResponse>
    const errorCode = body.errorCode ?? ErrorCode.NONE
    if (errorCode === ErrorCode.STALE_BROKER_EPOCH || errorCode === ErrorCode.BROKER_ID_NOT_REGISTERED) return this.#registerAgain()
    if (errorCode !== ErrorCode.NONE) return this.#notHeard(REFUSED_PAUSE_MS)
    this.#lastHeardMs = this.#deps.scheduler.monotonicMs()
    this.#lastCountedMs = sentMs
    this.#learn(body, reportedOffset)
  }

  #learn({ isFenced = true, shouldShutDown = false }: Partial<BrokerHeartbeatResponse>, reportedOffset: number): void {
    this.#isFenced = isFenced
    if (this.#wantsShutDown && shouldShutDown) return this.#onMayShutDown?.()
    if (!isFenced && this.#state === 'starting') this.#serve()
    const hasNews = (isFenced || this.#wantsShutDown) && this.#deps.metadataOffset() > reportedOffset
    if (hasNews) this.#hurryHeartbeat(0)
    else this.#hurryHeartbeat(isFenced || this.#wantsShutDown ? EAGER_HEARTBEAT_MS : this.#options.heartbeatIntervalMs)
  }

  #serve(): void {
    this.#state = 'running'
    this.#settleStart(success(undefined))
  }

  #notHeard(pauseMs: number): void {
    const silenceMs = this.#deps.scheduler.monotonicMs() - this.#lastHeardMs
    if (this.#wantsShutDown && silenceMs > CONTROLLER_SILENCE_MS_MAX) return this.#onMayShutDown?.()
    this.#hurryHeartbeat(pauseMs)
  }

  /** The controller knows another epoch, or forgot this broker: what it did not see of this one is repaired by starting over. */
  #registerAgain(): void {
    if (this.#wantsShutDown) return this.#onMayShutDown?.()
    this.#deps.logger.warn({ brokerEpoch: this.#brokerEpoch }, 'the broker epoch is stale; registering again')
    this.#session?.close()
    this.#session = null
    this.#isFenced = true
    void this.#pause(RETRY_PAUSE_MS).then(() => this.#register(Infinity))
  }

  #ask(apiKey: number, apiVersion: number, body: unknown): Promise<ControllerReply> {
    const { nodeId, requestTimeoutMs } = this.#options
    return this.#deps.channel.request(nodeRequest(nodeId, { apiKey, apiVersion, body }), requestTimeoutMs)
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#deps.scheduler.after(delayMs, resolve)
    })
  }

  #settleStart(result: Result<void, string>): void {
    this.#onUnfenced?.(result)
    this.#onUnfenced = null
  }
}

type Refusal =
  | { readonly kind: 'final'; readonly reason: string }
  | { readonly kind: 'retry'; readonly reason: string; readonly pauseMs: number }
