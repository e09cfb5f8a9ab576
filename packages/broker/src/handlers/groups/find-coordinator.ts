/**
 * FindCoordinator 0–6: which broker leads the partition of the internal topic that a key belongs to.
 *
 * v0 groups only · v1 key types, message with an error · v4 several keys (KIP-699) · v5 TRANSACTION_ABORTABLE
 * may be answered (KIP-890; never is) · v6 share groups (KIP-932). `__consumer_offsets` is created by the
 * first question, with `offsets.topic.*`; until it has a leader the answer is COORDINATOR_NOT_AVAILABLE, upon
 * which clients ask again. With fewer brokers than `offsets.topic.replication.factor` that is for ever, as in
 * Kafka: the reason stands in the broker's log. Not done: transactions and share groups. Their keys are
 * answered UNSUPPORTED_VERSION with a message: the Java client fails a transactional producer at once with
 * that text, where a retriable code would let it hang until its time-out.
 */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { Encodable, FindCoordinatorRequest, FindCoordinatorResponse } from '@kavka/protocol'
import { GROUP_METADATA_TOPIC } from '../../groups/group-coordinator.ts'
import { CLUSTER_RESOURCE } from '../../security/authorizer.ts'
import type { TopicCreation } from '../../topic-creation/topic-creation.ts'
import { addressOf } from '../cluster-view.ts'
import type { ApiHandler, RequestContext } from '../handler.ts'
import type { GroupServices } from './group-services.ts'

export interface FindCoordinatorServices extends GroupServices {
  readonly topicCreation: TopicCreation
}

type Coordinator = Encodable<FindCoordinatorResponse['coordinators'][number]>

const SEVERAL_KEYS_FROM = 4
const SHARE_FROM = 6
const GROUP_KEY = 0
const TRANSACTION_KEY = 1
const SHARE_KEY = 2

export const findCoordinatorHandler: ApiHandler<FindCoordinatorRequest, FindCoordinatorResponse, FindCoordinatorServices> = {
  apiKey: ApiKey.FindCoordinator,
  versions: [0, 6],
  handle(request, context, services) {
    if (context.apiVersion >= SEVERAL_KEYS_FROM) {
      const coordinators = request.coordinatorKeys.map((key) => find(request.keyType, key, context, services))
      return { kind: 'response', body: { coordinators } }
    }
    const { errorCode, errorMessage, nodeId, host, port } = find(request.keyType, request.key, context, services)
    return { kind: 'response', body: { errorCode, errorMessage, nodeId, host, port } }
  },
}

function find(keyType: number, key: string, context: RequestContext, services: FindCoordinatorServices): Coordinator {
  switch (keyType) {
    case GROUP_KEY:
      return findGroup(key, context, services)
    case TRANSACTION_KEY:
      return findTransaction(key, context, services)
    case SHARE_KEY:
      return findShare(key, context, services)
    default:
      return notFound(key, ErrorCode.INVALID_REQUEST, `Unknown coordinator type: ${keyType}`)
  }
}

function findGroup(groupId: string, context: RequestContext, services: FindCoordinatorServices): Coordinator {
  if (!services.authorizer.authorize(context, 'Describe', { type: 'Group', name: groupId })) {
    return notFound(groupId, ErrorCode.GROUP_AUTHORIZATION_FAILED)
  }
  const image = services.image()
  const topic = image.topics.byName.get(GROUP_METADATA_TOPIC)
  if (topic === undefined) {
    services.topicCreation.start([GROUP_METADATA_TOPIC])
    return notFound(groupId, ErrorCode.COORDINATOR_NOT_AVAILABLE)
  }
  const leader = topic.partitions[services.groups.partitionOf(groupId)]?.leader ?? null
  const address = leader === null ? null : addressOf(image, leader, context.listener)
  if (address === null) return notFound(groupId, ErrorCode.COORDINATOR_NOT_AVAILABLE)
  const { nodeId, host, port } = address
  return { key: groupId, errorCode: ErrorCode.NONE, errorMessage: null, nodeId, host, port }
}

function findTransaction(transactionalId: string, context: RequestContext, { authorizer }: FindCoordinatorServices): Coordinator {
  if (!authorizer.authorize(context, 'Describe', { type: 'TransactionalId', name: transactionalId })) {
    return notFound(transactionalId, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
  }
  return notFound(transactionalId, ErrorCode.UNSUPPORTED_VERSION, 'This cluster does not serve transactions.')
}

function findShare(key: string, context: RequestContext, { authorizer }: FindCoordinatorServices): Coordinator {
  if (context.apiVersion < SHARE_FROM) return notFound(key, ErrorCode.INVALID_REQUEST, 'Share coordinators came with version 6.')
  if (!authorizer.authorize(context, 'ClusterAction', CLUSTER_RESOURCE)) {
    return notFound(key, ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
  }
  return notFound(key, ErrorCode.UNSUPPORTED_VERSION, 'This cluster does not serve share groups.')
}

function notFound(key: string, errorCode: number, errorMessage: string | null = null): Coordinator {
  return { key, errorCode, errorMessage, nodeId: -1, host: '', port: -1 }
}
