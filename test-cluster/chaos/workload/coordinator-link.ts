import { errorName, findCoordinatorRequestCodec, findCoordinatorResponseCodec } from '@kavka/protocol'
import type { Encodable, MessageCodec } from '@kavka/protocol'
import { BrokerLink, NotConnectedError } from './broker-link.ts'
import type { WorkloadContext } from './client-process.ts'

const GROUP = 0

/** A connection to whoever coordinates a group now; `forget` after any error that may mean that it moved. */
export class CoordinatorLink {
  readonly #group: string
  readonly #context: WorkloadContext
  readonly #link: BrokerLink
  #coordinator = -1

  constructor(group: string, context: WorkloadContext) {
    this.#group = group
    this.#context = context
    this.#link = new BrokerLink(context.view)
  }

  /** Finds and connects; throws NotConnectedError when nobody could be asked or nobody coordinates. */
  async connect(): Promise<void> {
    if (this.#coordinator < 0) this.#coordinator = await this.#find()
    await this.#link.to(this.#coordinator)
  }

  async request<Request, Response>(
    request: MessageCodec<Request>,
    response: MessageCodec<Response>,
    version: number,
    body: Encodable<Request>,
  ): Promise<Response> {
    return this.#link.request(request, response, version, body)
  }

  forget(): void {
    this.#coordinator = -1
    this.#link.close()
  }

  async #find(): Promise<number> {
    const { view, random } = this.#context
    const nodes = view.nodeIds()
    if (nodes.length === 0) throw new NotConnectedError('no broker known')
    try {
      await this.#link.to(nodes[Math.floor(random() * nodes.length)]!)
      const { coordinators } = await this.#link.request(findCoordinatorRequestCodec, findCoordinatorResponseCodec, 4, {
        keyType: GROUP, coordinatorKeys: [this.#group],
      })
      const found = coordinators[0]!
      if (found.errorCode === 0) return found.nodeId
      throw new NotConnectedError(errorName(found.errorCode))
    } catch (error) {
      throw new NotConnectedError(String(error), { cause: error })
    }
  }
}
