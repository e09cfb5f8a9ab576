/**
 * Metadata 0–13.
 * Behavior: unfenced brokers that have the listener of the request; topics by name, by id (v12), or all. Unknown topics are created
 * when the broker, the request and its form allow it; the answer is then UNKNOWN_TOPIC_OR_PARTITION and the client asks again.
 * Versions: v0 means all topics by an empty list, later ones by null; v4 may forbid creation; v6 LISTENER_NOT_FOUND; v8 operations (KIP-430);
 * v10 topic ids (KIP-516); v11 drops the operations on the cluster (KIP-700); v13 has an error for the whole answer.
 * The controller id is a random live broker: clients of brokers have no business with controllers (KIP-590).
 */
import type { MetadataImage, PartitionRegistration, TopicImage } from '@kavka/controller'
import { ApiKey, ErrorCode, ZERO_UUID, isInternalTopic, isTopicName } from '@kavka/protocol'
import type { Encodable, MetadataRequest, MetadataResponse } from '@kavka/protocol'
import { CLUSTER_RESOURCE } from '../../security/authorizer.ts'
import { authorizedOperations, CLUSTER_OPERATIONS, TOPIC_OPERATIONS } from '../authorized-operations.ts'
import { brokersOn, leaderOn, offlineReplicas } from '../cluster-view.ts'
import type { BrokerAddress } from '../cluster-view.ts'
import type { ApiHandler, RequestContext } from '../handler.ts'
import type { BrokerServices } from '../services.ts'

type Topic = Encodable<MetadataResponse['topics'][number]>
type AskedTopic = NonNullable<MetadataRequest['topics']>[number]

export const metadataHandler: ApiHandler<MetadataRequest, MetadataResponse, BrokerServices> = {
  apiKey: ApiKey.Metadata,
  versions: [0, 13],
  handle(request, context, services) {
    const image = services.image()
    const brokers = brokersOn(image, context.listener)
    const answer = new MetadataAnswer(request, context, services, image)
    return {
      kind: 'response',
      body: {
        brokers: brokers.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack })),
        clusterId: services.clusterId,
        controllerId: randomBroker(brokers, services),
        topics: answer.topics(),
        ...clusterOperations(request, context, services),
      },
    }
  },
}

function randomBroker(brokers: readonly BrokerAddress[], services: BrokerServices): number {
  return brokers.length === 0 ? -1 : brokers[services.random.below(brokers.length)]!.nodeId
}

function clusterOperations(
  request: MetadataRequest,
  context: RequestContext,
  { authorizer }: BrokerServices,
): Encodable<MetadataResponse> {
  if (context.apiVersion < 8 || context.apiVersion > 10 || !request.includeClusterAuthorizedOperations) return {}
  return { clusterAuthorizedOperations: authorizedOperations(authorizer, context, CLUSTER_RESOURCE, CLUSTER_OPERATIONS) }
}

class MetadataAnswer {
  readonly #request: MetadataRequest
  readonly #context: RequestContext
  readonly #services: BrokerServices
  readonly #image: MetadataImage

  constructor(request: MetadataRequest, context: RequestContext, services: BrokerServices, image: MetadataImage) {
    this.#request = request
    this.#context = context
    this.#services = services
    this.#image = image
  }

  topics(): Topic[] {
    const { topics } = this.#request
    const all = topics === null || (this.#context.apiVersion === 0 && topics.length === 0)
    if (all) return this.#allTopics()
    if (this.#context.apiVersion < 12 && topics.some(isAskedById)) return topics.map(invalidRequest)
    const answers = topics.map((asked) => this.#askedTopic(asked))
    this.#createMissing(answers)
    return answers
  }

  #allTopics(): Topic[] {
    const topics: Topic[] = []
    for (const topic of this.#image.topics.byName.values()) {
      if (this.#may('Describe', topic.name)) topics.push(this.#describe(topic))
    }
    return topics
  }

  #askedTopic(asked: AskedTopic): Topic {
    if (asked.name === null) return this.#topicById(asked)
    const { name } = asked
    if (!this.#may('Describe', name)) return { name, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED }
    const topic = this.#image.topics.byName.get(name)
    if (topic !== undefined) return this.#describe(topic)
    const errorCode = isTopicName(name) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION
    return { name, errorCode, isInternal: isInternalTopic(name) }
  }

  /** Whoever may not describe a topic must not learn from its id that it exists. */
  #topicById({ topicId }: AskedTopic): Topic {
    const topic = this.#image.topics.byId.get(topicId)
    if (topic === undefined) return { name: null, topicId, errorCode: ErrorCode.UNKNOWN_TOPIC_ID }
    if (this.#may('Describe', topic.name)) return this.#describe(topic)
    return { name: null, topicId, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED }
  }

  #createMissing(answers: readonly Topic[]): void {
    const { config, topicCreation } = this.#services
    const isAllowed = this.#context.apiVersion < 4 || this.#request.allowAutoTopicCreation
    if (!isAllowed || !config.autoCreateTopicsEnable) return
    const missing = answers.filter(({ errorCode }) => errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const names = missing.map(({ name }) => name!).filter((name) => this.#mayCreate(name))
    if (names.length > 0) topicCreation.start(names)
  }

  #mayCreate(name: string): boolean {
    return this.#services.authorizer.authorize(this.#context, 'Create', CLUSTER_RESOURCE) || this.#may('Create', name)
  }

  #describe(topic: TopicImage): Topic {
    return {
      name: topic.name,
      topicId: topic.id,
      isInternal: isInternalTopic(topic.name),
      partitions: topic.partitions.map((partition) => this.#partition(partition)),
      ...this.#topicOperations(topic.name),
    }
  }

  #partition(partition: PartitionRegistration): Encodable<MetadataResponse['topics'][number]['partitions'][number]> {
    const { listener, apiVersion } = this.#context
    const { leaderId, errorCode } = leaderOn(this.#image, partition, listener)
    const isTooNew = errorCode === ErrorCode.LISTENER_NOT_FOUND && apiVersion < 6
    return {
      errorCode: isTooNew ? ErrorCode.LEADER_NOT_AVAILABLE : errorCode,
      partitionIndex: partition.partition,
      leaderId,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: partition.replicas,
      isrNodes: partition.isr,
      offlineReplicas: offlineReplicas(this.#image, partition, listener),
    }
  }

  #topicOperations(name: string): Topic {
    if (this.#context.apiVersion < 8 || !this.#request.includeTopicAuthorizedOperations) return {}
    const resource = { type: 'Topic', name } as const
    const { authorizer } = this.#services
    return { topicAuthorizedOperations: authorizedOperations(authorizer, this.#context, resource, TOPIC_OPERATIONS) }
  }

  #may(operation: 'Describe' | 'Create', name: string): boolean {
    return this.#services.authorizer.authorize(this.#context, operation, { type: 'Topic', name })
  }
}

/** Ids are answered from v12 on: v10 and v11 carry the field, but Kafka refuses it there. */
function isAskedById(asked: AskedTopic): boolean {
  return asked.name === null || asked.topicId !== ZERO_UUID
}

function invalidRequest({ name, topicId }: AskedTopic): Topic {
  return { name: name ?? '', topicId, errorCode: ErrorCode.INVALID_REQUEST }
}
