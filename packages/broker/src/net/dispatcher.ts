/** From a frame to the handler of its API and back to reply bytes; everything undecodable ends in a close with a reason. */
import { AssertionError } from '@kavka/kernel'
import type { Clock, Logger, Scheduler } from '@kavka/kernel'
import { ApiKey, DecodeError, decodeRequestHeader, encodeResponseFrame, ErrorCode } from '@kavka/protocol'
import type { ApiVersionsRequest, RequestHead } from '@kavka/protocol'
import type { HandlerResult, RequestContext } from '../handlers/handler.ts'
import { isClientSoftwareWord } from './client-software.ts'
import type { ApiTable, BoundHandler } from '../handlers/api-table.ts'
import type { ApiMeter, RequestMeters } from '../metrics/request-meters.ts'
import { errorCodesIn } from './error-codes-in.ts'
import type { Peer } from './listener.ts'
import type { Overlap, PipelinedRequest, RequestOutcome } from './pipeline.ts'

export interface DispatcherDeps {
  readonly tableOf: (role: 'broker' | 'controller') => ApiTable
  readonly meters: RequestMeters
  readonly scheduler: Clock & Pick<Scheduler, 'soon'>
  readonly logger: Logger
}

export class RequestDispatcher {
  readonly #deps: DispatcherDeps

  constructor(deps: DispatcherDeps) {
    this.#deps = deps
  }

  /** The work of one frame, not started yet. */
  requestOf(frame: Buffer, peer: Peer): PipelinedRequest {
    return new DispatchedRequest(frame, peer, this.#deps)
  }
}

class DispatchedRequest implements PipelinedRequest {
  readonly overlap: Overlap
  readonly #frame: Buffer
  readonly #peer: Peer
  readonly #deps: DispatcherDeps
  readonly #acceptedMs: number
  #startedMs = 0
  #localDoneMs = 0
  #meter: ApiMeter | null = null

  constructor(frame: Buffer, peer: Peer, deps: DispatcherDeps) {
    this.#frame = frame
    this.#peer = peer
    this.#deps = deps
    this.#acceptedMs = deps.scheduler.monotonicMs()
    this.overlap = overlapOf(frame)
  }

  run(): RequestOutcome | Promise<RequestOutcome> {
    this.#startedMs = this.#deps.scheduler.monotonicMs()
    try {
      return this.#dispatch(decodeRequestHeader(this.#frame))
    } catch (error) {
      return this.#failed(error)
    }
  }

  replied(): void {
    const meter = this.#meter
    if (meter === null) return
    const now = this.#deps.scheduler.monotonicMs()
    meter.observe(this.#acceptedMs, this.#startedMs, this.#localDoneMs, now)
  }

  #dispatch(head: RequestHead): RequestOutcome | Promise<RequestOutcome> {
    const table = this.#deps.tableOf(this.#peer.role)
    const bound = table.handlerOf(head.apiKey)
    if (bound === null) return close(`API ${head.apiKey} is not served on this listener`)
    if (!bound.serves(head.apiVersion)) return this.#unsupportedVersion(bound, head)
    this.#meter = this.#deps.meters.of(bound.api, head.apiVersion)
    const request = bound.api.requestCodec.decode(head.body, head.apiVersion)
    if (head.apiKey === ApiKey.ApiVersions) this.#noteSoftware(request as ApiVersionsRequest, head.apiVersion)
    const context = this.#contextOf(head)
    const result = bound.handle(request, context)
    this.#localDoneMs = this.#deps.scheduler.monotonicMs()
    if (!(result instanceof Promise)) return this.#outcomeOf(bound, head, result)
    return result.then(
      (settled) => this.#guardedOutcomeOf(bound, head, settled),
      (error: unknown) => this.#failed(error),
    )
  }

  /** Only ApiVersions answers a version that is not known: in the body of version 0, naming the versions it has (KIP-511). */
  #unsupportedVersion(bound: BoundHandler, head: RequestHead): RequestOutcome {
    if (head.apiKey !== ApiKey.ApiVersions) return close(`${bound.api.name} version ${head.apiVersion} is not served`)
    this.#meter = this.#deps.meters.of(bound.api, head.apiVersion)
    const [minVersion, maxVersion] = bound.versions
    const response = { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys: [{ apiKey: head.apiKey, minVersion, maxVersion }] }
    this.#meter.countErrors([ErrorCode.UNSUPPORTED_VERSION])
    const { correlationId } = head
    return { kind: 'reply', buffers: encodeResponseFrame({ codec: bound.api.responseCodec, apiVersion: 0, correlationId, response }) }
  }

  #guardedOutcomeOf(bound: BoundHandler, head: RequestHead, result: HandlerResult<unknown>): RequestOutcome {
    try {
      return this.#outcomeOf(bound, head, result)
    } catch (error) {
      return this.#failed(error)
    }
  }

  #outcomeOf(bound: BoundHandler, head: RequestHead, result: HandlerResult<unknown>): RequestOutcome {
    if (result.kind === 'no-response') return { kind: 'silent' }
    if (result.kind === 'close') return close(result.reason)
    const { body, sent, errorCodes = errorCodesIn(body) } = result
    this.#meter?.countErrors(errorCodes)
    const { apiVersion, correlationId } = head
    return { kind: 'reply', buffers: encodeResponseFrame({ codec: bound.api.responseCodec, apiVersion, correlationId, response: body }), sent }
  }

  #failed(error: unknown): RequestOutcome {
    if (error instanceof DecodeError) return close(`undecodable request: ${error.message}`)
    this.#deps.logger.error({ err: error, connection: this.#peer.connectionId }, 'a request failed unexpectedly')
    if (error instanceof AssertionError) {
      this.#deps.scheduler.soon(() => {
        throw error // a broken invariant: going on could acknowledge what is not true
      })
    }
    return close('internal error')
  }

  #noteSoftware(request: ApiVersionsRequest, version: number): void {
    if (version < 3) return
    const { clientSoftwareName: name, clientSoftwareVersion } = request
    if (!isClientSoftwareWord(name) || !isClientSoftwareWord(clientSoftwareVersion)) return
    this.#peer.software = { name, version: clientSoftwareVersion }
  }

  #contextOf(head: RequestHead): RequestContext {
    const peer = this.#peer
    return {
      apiKey: head.apiKey,
      apiVersion: head.apiVersion,
      correlationId: head.correlationId,
      clientId: head.clientId ?? '',
      listener: peer.listener,
      listenerRole: peer.role,
      securityProtocol: peer.securityProtocol,
      principal: peer.principal,
      connectionId: peer.connectionId,
      clientHost: peer.host,
    }
  }
}

function overlapOf(frame: Buffer): Overlap {
  if (frame.length < 2) return 'alone'
  const apiKey = frame.readInt16BE(0)
  if (apiKey === ApiKey.Produce) return 'produce'
  return apiKey === ApiKey.Fetch ? 'fetch' : 'alone'
}

function close(reason: string): RequestOutcome {
  return { kind: 'close', reason }
}
