/**
 * Produce 3–13.
 * Behavior: one batch a partition, errors a partition; acks=0 gets no answer, and a closed connection when anything failed.
 * Versions: v7 zstd (KIP-110); v8 record errors (KIP-467); v10 the current leader on the wrong broker (KIP-951); v13 topic ids (KIP-516).
 * The append is started before this returns: requests of one connection are appended in their order.
 */
import { ApiKey, ErrorCode, isInternalTopic } from '@kavka/protocol'
import type { Encodable, ProduceRequest, ProduceResponse, TopicPartition, Uuid } from '@kavka/protocol'
import type { AppendEntry, AppendResult } from '@kavka/replication'
import { recordsCountOf, refusalOfBatch } from './client-batch.ts'
import type { BatchRefusal } from './client-batch.ts'
import type { ApiHandler, HandlerResult, RequestContext } from '../handler.ts'
import { leaderIdAndEpoch, NodeEndpoints } from '../node-endpoints.ts'
import type { BrokerServices } from '../services.ts'

type PartitionResponse = Encodable<ProduceResponse['responses'][number]['partitionResponses'][number]>
type TopicRequest = ProduceRequest['topicData'][number]

const TOPIC_ID_VERSION_MIN = 13
const CURRENT_LEADER_VERSION_MIN = 10
/** The client id with which Kafka's own admin tools may write to internal topics. */
const ADMIN_CLIENT_ID = '__admin_client'

export const produceHandler: ApiHandler<ProduceRequest, ProduceResponse, BrokerServices> = {
  apiKey: ApiKey.Produce,
  versions: [3, 13],
  handle(request, context, services) {
    const produce = new Produce(request, context, services)
    const acks = request.acks
    if (acks !== -1 && acks !== 0 && acks !== 1) return produce.refuseAll(ErrorCode.INVALID_REQUIRED_ACKS)
    if (!produce.mayUseTransactionalId()) return produce.refuseAll(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    const entries = produce.prepare()
    if (entries.length === 0) return produce.answer([])
    const { timeoutMs } = request
    return services.replicas
      .append({ acks, timeoutMs: Math.max(0, timeoutMs), origin: 'client', entries })
      .then((results) => produce.answer(results))
  },
}

/** One request between its check and its answer. Partitions are numbered in the order of the request. */
class Produce {
  readonly #request: ProduceRequest
  readonly #context: RequestContext
  readonly #services: BrokerServices
  readonly #entries: AppendEntry[] = []
  /** By partition: why it is not appended, or null and then its result comes from the append. */
  readonly #refusals: (BatchRefusal | null)[] = []
  readonly #errorCodes: number[] = []

  constructor(request: ProduceRequest, context: RequestContext, services: BrokerServices) {
    this.#request = request
    this.#context = context
    this.#services = services
  }

  mayUseTransactionalId(): boolean {
    const { transactionalId } = this.#request
    if (transactionalId === null) return true
    return this.#services.authorizer.authorize(this.#context, 'Write', { type: 'TransactionalId', name: transactionalId })
  }

  refuseAll(errorCode: number): HandlerResult<ProduceResponse> {
    const refusal = { errorCode, message: null }
    for (const { partitionData } of this.#request.topicData) {
      for (let index = 0; index < partitionData.length; index++) this.#refusals.push(refusal)
    }
    return this.answer([])
  }

  /** Sorts out what cannot be appended; the rest is returned for the log. */
  prepare(): readonly AppendEntry[] {
    for (const topic of this.#request.topicData) this.#prepareTopic(topic)
    return this.#entries
  }

  #prepareTopic(topic: TopicRequest): void {
    const byId = this.#context.apiVersion >= TOPIC_ID_VERSION_MIN
    const { byId: topics, byName } = this.#services.image().topics
    const found = byId ? topics.get(topic.topicId) : byName.get(topic.name)
    const name = found?.name ?? topic.name
    const refusal = this.#refusalOfTopic(name, found !== undefined, byId)
    for (const { index, records } of topic.partitionData) {
      const refused = refusal ?? this.#refusalOfPartition(found!.partitions.length, index, records)
      this.#refusals.push(refused)
      if (found !== undefined) this.#meterAttempt(name, refused)
      if (refused !== null) continue
      this.#entries.push(appendEntry({ topic: name, partition: index }, byId ? topic.topicId : null, records!))
    }
  }

  #refusalOfTopic(name: string, exists: boolean, byId: boolean): BatchRefusal | null {
    if (!exists && byId) return coded(ErrorCode.UNKNOWN_TOPIC_ID)
    if (!this.#services.authorizer.authorize(this.#context, 'Write', { type: 'Topic', name })) {
      return coded(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    }
    if (!exists) return coded(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    if (isInternalTopic(name) && this.#context.clientId !== ADMIN_CLIENT_ID) return coded(ErrorCode.INVALID_TOPIC_EXCEPTION)
    return null
  }

  #refusalOfPartition(partitions: number, index: number, records: Buffer | null): BatchRefusal | null {
    if (index < 0 || index >= partitions) return coded(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return refusalOfBatch(records, this.#context.apiVersion)
  }

  #meterAttempt(name: string, refused: BatchRefusal | null): void {
    const { topicMeters } = this.#services
    topicMeters.of(name).produceRequests.add()
    topicMeters.all.produceRequests.add()
    if (refused !== null) this.#meterFailure(name)
  }

  #meterFailure(name: string): void {
    this.#services.topicMeters.of(name).failedProduceRequests.add()
    this.#services.topicMeters.all.failedProduceRequests.add()
  }

  /** `results`: one for each entry, in order. */
  answer(results: readonly AppendResult[]): HandlerResult<ProduceResponse> {
    this.#meterResults(results)
    if (this.#request.acks === 0) return this.#unacknowledged(results)
    const endpoints = new NodeEndpoints(this.#services.image(), this.#context.listener)
    let at = 0
    let entry = 0
    const responses = this.#request.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => {
        const refusal = this.#refusals[at++]!
        return refusal === null ? this.#appended(index, results[entry++]!, endpoints) : this.#refused(index, refusal)
      }),
    }))
    return { kind: 'response', body: { responses, nodeEndpoints: endpoints.list() }, errorCodes: this.#errorCodes }
  }

  /** The client waits for nothing and cannot be told: closing is how it learns that something went wrong. */
  #unacknowledged(results: readonly AppendResult[]): HandlerResult<ProduceResponse> {
    const failed = this.#refusals.find((refusal) => refusal !== null) ?? results.find(({ errorCode }) => errorCode !== 0)
    if (failed === undefined) return { kind: 'no-response' }
    return { kind: 'close', reason: `error ${failed.errorCode} in a Produce request with acks=0` }
  }

  #appended(index: number, result: AppendResult, endpoints: NodeEndpoints): PartitionResponse {
    const { errorCode, errorMessage, baseOffset, logAppendTimeMs, logStartOffset, recordErrors, currentLeader } = result
    const response = { index, errorCode, errorMessage, baseOffset, logAppendTimeMs, logStartOffset }
    if (errorCode === ErrorCode.NONE) return response
    this.#errorCodes.push(errorCode)
    const errors = recordErrors.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message }))
    const failure = { ...response, recordErrors: errors }
    if (currentLeader === null || this.#context.apiVersion < CURRENT_LEADER_VERSION_MIN) return failure
    endpoints.add(currentLeader)
    return { ...failure, currentLeader: leaderIdAndEpoch(currentLeader) }
  }

  #refused(index: number, { errorCode, message }: BatchRefusal): PartitionResponse {
    this.#errorCodes.push(errorCode)
    return { index, errorCode, errorMessage: message, baseOffset: -1 }
  }

  #meterResults(results: readonly AppendResult[]): void {
    for (let index = 0; index < results.length; index++) {
      const { topicPartition, records } = this.#entries[index]!
      if (results[index]!.errorCode === ErrorCode.NONE) this.#meterAppend(topicPartition.topic, records)
      else this.#meterRefusedAppend(topicPartition.topic, results[index]!.errorCode, records.length)
    }
  }

  #meterAppend(topic: string, records: Buffer): void {
    const { topicMeters } = this.#services
    const count = recordsCountOf(records)
    const meter = topicMeters.of(topic)
    meter.messagesIn.add(count)
    meter.bytesIn.add(records.length)
    topicMeters.all.messagesIn.add(count)
    topicMeters.all.bytesIn.add(records.length)
  }

  #meterRefusedAppend(topic: string, errorCode: number, bytes: number): void {
    this.#meterFailure(topic)
    if (errorCode !== ErrorCode.MESSAGE_TOO_LARGE && errorCode !== ErrorCode.RECORD_LIST_TOO_LARGE) return
    this.#services.topicMeters.of(topic).bytesRejected.add(bytes)
    this.#services.topicMeters.all.bytesRejected.add(bytes)
  }
}

function appendEntry(topicPartition: TopicPartition, topicId: Uuid | null, records: Buffer): AppendEntry {
  return { topicPartition, topicId, records }
}

function coded(errorCode: number): BatchRefusal {
  return { errorCode, message: null }
}
