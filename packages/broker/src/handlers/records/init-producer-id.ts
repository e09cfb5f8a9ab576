/**
 * InitProducerId 0–5: an id for an idempotent producer. Any broker gives one, from the block that the
 * controller gave it.
 *
 * v3 id and epoch of a producer that resumes (KIP-360): they matter to transactions only, but must come
 * together · v4 PRODUCER_FENCED · v5 TRANSACTION_ABORTABLE (KIP-890). v6 (two-phase commit, KIP-939) is
 * unstable in Kafka 4.3 and not served. Not done: transactions. A transactional id is answered
 * UNSUPPORTED_VERSION, which producers take as fatal; they hardly get here, since FindCoordinator tells them
 * first.
 */
import type { MetadataImage } from '@kavka/controller'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { InitProducerIdRequest, InitProducerIdResponse } from '@kavka/protocol'
import type { ProducerIds } from '../../producer-ids/producer-ids.ts'
import { CLUSTER_RESOURCE } from '../../security/authorizer.ts'
import type { Authorizer } from '../../security/authorizer.ts'
import type { ApiHandler, RequestContext } from '../handler.ts'

export interface InitProducerIdServices {
  readonly producerIds: ProducerIds
  readonly authorizer: Authorizer
  image(): MetadataImage
}

const NOT_SET = -1

export const initProducerIdHandler: ApiHandler<InitProducerIdRequest, InitProducerIdResponse, InitProducerIdServices> = {
  apiKey: ApiKey.InitProducerId,
  versions: [0, 5],
  async handle(request, context, services) {
    const errorCode = errorOf(request, context, services)
    if (errorCode !== ErrorCode.NONE) return { kind: 'response', body: { errorCode, producerEpoch: NOT_SET } }
    const next = await services.producerIds.next()
    if (!next.ok) return { kind: 'response', body: { errorCode: next.error, producerEpoch: NOT_SET } }
    return { kind: 'response', body: { errorCode: ErrorCode.NONE, producerId: next.value, producerEpoch: 0 } }
  },
}

function errorOf(request: InitProducerIdRequest, context: RequestContext, services: InitProducerIdServices): number {
  const { transactionalId, producerId, producerEpoch } = request
  const { authorizer } = services
  if (transactionalId !== null) {
    const resource = { type: 'TransactionalId', name: transactionalId } as const
    if (!authorizer.authorize(context, 'Write', resource)) return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  } else if (!mayWriteSomewhere(context, services)) {
    return ErrorCode.CLUSTER_AUTHORIZATION_FAILED
  }
  if ((producerId === NOT_SET) !== (producerEpoch === NOT_SET) || transactionalId === '') return ErrorCode.INVALID_REQUEST
  return transactionalId === null ? ErrorCode.NONE : ErrorCode.UNSUPPORTED_VERSION
}

/** Since Kafka 2.8 whoever may write to any topic may do so idempotently (KIP-679). */
function mayWriteSomewhere(context: RequestContext, services: InitProducerIdServices): boolean {
  const { authorizer } = services
  if (authorizer.authorize(context, 'IdempotentWrite', CLUSTER_RESOURCE)) return true
  for (const name of services.image().topics.byName.keys()) {
    if (authorizer.authorize(context, 'Write', { type: 'Topic', name })) return true
  }
  return false
}
