import type { Server, ServerDuplexStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import { Metadata, status } from '@grpc/grpc-js'
import type { ControllerReply, ControllerRequest, ControllerService } from '@kavka/controller'
import type { Logger } from '@kavka/kernel'
import { EncodeError } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import { WireDecodeError } from '../proto-runtime.ts'
import { admit, crashOnBug, refuse, whenClosed } from '../service-provider.ts'
import type { GrpcServiceProvider, RefusedCall } from '../service-provider.ts'
import { controllerServiceDefinition, decodeControllerRequest, encodeControllerReply } from './controller-calls.ts'

interface Session {
  isOver: boolean
  end(): void
}

/** Serves the quorum controller of this process to the other nodes. */
export class ControllerServiceAdapter implements GrpcServiceProvider {
  readonly group = 'controller'
  readonly #clusterId: string
  readonly #service: ControllerService
  readonly #logger: Logger
  /** The newest of each broker; bounded by the number of brokers that pass for brokers of this cluster. */
  readonly #sessions = new Map<NodeId, Session>()

  constructor(options: { readonly clusterId: string }, { service, logger }: { service: ControllerService; logger: Logger }) {
    this.#clusterId = options.clusterId
    this.#service = service
    this.#logger = logger
  }

  addTo(server: Server): void {
    server.addService(controllerServiceDefinition, {
      request: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => crashOnBug(() => this.#request(call, answer)),
      session: (call: ServerDuplexStream<Buffer, Buffer>) => crashOnBug(() => this.#sessionOpened(call)),
    })
  }

  #request(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
    const admission = admit(call.metadata, this.#clusterId)
    if (!admission.ok) return answer(admission.error)
    const request = this.#decode(call.request)
    if ('details' in request) return answer(request)
    void this.#service.handle(request).then((reply) => this.#answer(request, reply, answer))
  }

  #decode(bytes: Buffer): ControllerRequest | RefusedCall {
    try {
      return decodeControllerRequest(bytes)
    } catch (error) {
      if (!(error instanceof WireDecodeError)) throw error
      this.#logger.warn({ reason: error.message }, 'Malformed request of another node')
      return { code: status.INVALID_ARGUMENT, details: error.message }
    }
  }

  #answer(request: ControllerRequest, reply: ControllerReply, answer: sendUnaryData<Buffer>): void {
    if (reply.kind === 'unreachable') return answer({ code: status.UNAVAILABLE, details: 'no answer' })
    const bytes = this.#encode(request, reply)
    if (bytes === null) answer({ code: status.INTERNAL, details: 'the answer does not fit the version' })
    else answer(null, bytes)
  }

  /** Null for an answer that its version cannot carry: our bug, but no reason to take the active controller away from everybody. */
  #encode(request: ControllerRequest, reply: Exclude<ControllerReply, { kind: 'unreachable' }>): Buffer | null {
    try {
      return encodeControllerReply(request, reply)
    } catch (error) {
      if (!(error instanceof EncodeError)) throw error
      this.#logger.error({ err: error, apiKey: request.apiKey, apiVersion: request.apiVersion }, 'An answer could not be written')
      return null
    }
  }

  #sessionOpened(call: ServerDuplexStream<Buffer, Buffer>): void {
    const admission = admit(call.metadata, this.#clusterId)
    if (!admission.ok) return refuse(call, admission.error, this.#logger)
    const { nodeId, brokerEpoch } = admission.value
    const session: Session = {
      isOver: false,
      end: () => {
        if (session.isOver) return
        session.isOver = true
        if (this.#sessions.get(nodeId) === session) this.#sessions.delete(nodeId)
        this.#service.sessionLost(nodeId, brokerEpoch)
        call.end()
      },
    }
    whenClosed(call, () => session.end())
    call.sendMetadata(new Metadata())
    call.on('data', () => {})
    this.#service.sessionOpened(nodeId, brokerEpoch)
    // A broker that opens a second one has lost the first, even if this side has not noticed yet: it must not pass for a sign of life.
    const previous = this.#sessions.get(nodeId)
    this.#sessions.set(nodeId, session)
    previous?.end()
  }
}
