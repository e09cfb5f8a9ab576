/**
 * Topics that come into being because someone asked for them: by Metadata with `auto.create.topics.enable`, internal ones by
 * FindCoordinator. The request goes to the controller; whoever asked is told to ask again.
 */
import type { BrokerConfig, Logger } from '@kavka/kernel'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { CreateTopicsRequest, CreateTopicsResponse } from '@kavka/protocol'
import { contextOfNode } from '../controller-gateway/controller-gateway.ts'
import type { ControllerGateway } from '../controller-gateway/controller-gateway.ts'

const CREATE_TOPICS_VERSION = 7
const TIMEOUT_MS = 30_000
/** Names being created at the same time; more are not asked for, their clients ask again. */
const CREATIONS_IN_FLIGHT_MAX = 10_000

export interface TopicCreation {
  /** Starts the creation of what is not being created already; does not wait. */
  start(names: readonly string[]): void
}

export interface TopicCreatorOptions {
  readonly config: BrokerConfig
  readonly explicitConfig: ReadonlyMap<string, string>
  readonly listener: string
}

export class TopicCreator implements TopicCreation {
  readonly #options: TopicCreatorOptions
  readonly #gateway: ControllerGateway
  readonly #logger: Logger
  readonly #inFlight = new Set<string>()

  constructor(options: TopicCreatorOptions, deps: { readonly gateway: ControllerGateway; readonly logger: Logger }) {
    this.#options = options
    this.#gateway = deps.gateway
    this.#logger = deps.logger
  }

  start(names: readonly string[]): void {
    const fresh = [...new Set(names)].filter((name) => !this.#inFlight.has(name))
    const room = CREATIONS_IN_FLIGHT_MAX - this.#inFlight.size
    if (fresh.length > 0 && room > 0) void this.#create(fresh.slice(0, room))
  }

  async #create(names: readonly string[]): Promise<void> {
    for (const name of names) this.#inFlight.add(name)
    const body: Partial<CreateTopicsRequest> = {
      topics: names.map((name) => this.#topicOf(name)), timeoutMs: TIMEOUT_MS, validateOnly: false,
    }
    const request = { apiKey: ApiKey.CreateTopics, apiVersion: CREATE_TOPICS_VERSION, body, timeoutMs: TIMEOUT_MS }
    const answer = await this.#gateway.request(request, contextOfNode(this.#options.listener))
    for (const name of names) this.#inFlight.delete(name)
    if (answer.kind === 'failed') this.#logger.warn({ names, errorCode: answer.errorCode }, 'topics could not be created')
    else this.#report(answer.body as CreateTopicsResponse)
  }

  #report(response: CreateTopicsResponse): void {
    for (const { name, errorCode, errorMessage } of response.topics) {
      if (errorCode === undefined || errorCode === ErrorCode.NONE) this.#logger.info({ topic: name }, 'topic created on demand')
      else if (errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS) {
        this.#logger.warn({ topic: name, errorCode, errorMessage }, 'topic could not be created on demand')
      }
    }
  }

  /** This broker's own defaults count only when they are set here; else -1, so that the controller's apply. */
  #topicOf(name: string): CreateTopicsRequest['topics'][number] {
    const { config, explicitConfig } = this.#options
    if (name === '__consumer_offsets') return this.#offsetsTopic(name)
    const numPartitions = explicitConfig.has('num.partitions') ? config.numPartitions : -1
    const replicationFactor = explicitConfig.has('default.replication.factor') ? config.defaultReplicationFactor : -1
    return { name, numPartitions, replicationFactor, assignments: [], configs: [] }
  }

  #offsetsTopic(name: string): CreateTopicsRequest['topics'][number] {
    const { config } = this.#options
    return {
      name,
      numPartitions: config.offsetsTopicNumPartitions,
      replicationFactor: config.offsetsTopicReplicationFactor,
      assignments: [],
      configs: [
        { name: 'cleanup.policy', value: 'compact' },
        { name: 'compression.type', value: 'producer' },
        { name: 'segment.bytes', value: String(config.offsetsTopicSegmentBytes) },
      ],
    }
  }
}
