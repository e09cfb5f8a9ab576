/**
 * Fetch 4–18, for consumers: followers replicate over streams of their own.
 * Behavior: waits for `minBytes`, keeps incremental sessions (KIP-227), hands record bytes through without copying them.
 * Versions: v7 sessions; v9 leader epochs (KIP-320); v11 reading from followers (KIP-392); v12 divergence (KIP-595); v13 topic ids (KIP-516);
 * v16 the current leader on the wrong broker (KIP-951).
 */
import type { MetadataImage } from '@kavka/controller'
import { ApiKey, ErrorCode, ZERO_UUID } from '@kavka/protocol'
import type { Encodable, FetchRequest, FetchResponse, TopicPartition } from '@kavka/protocol'
import type { FetchContext, FetchPartition, FetchPartitionResult, SessionFetchPartition, SessionPartitionName } from '@kavka/replication'
import type { ApiHandler, HandlerResult, RequestContext } from '../handler.ts'
import { leaderIdAndEpoch, NodeEndpoints } from '../node-endpoints.ts'
import type { BrokerServices } from '../services.ts'

type PartitionData = Encodable<FetchResponse['responses'][number]['partitions'][number]>
type TopicResponse = Encodable<FetchResponse['responses'][number]>

const TOPIC_ID_VERSION_MIN = 13
const FOLLOWER_READS_VERSION_MIN = 11
const CURRENT_LEADER_VERSION_MIN = 16
const SESSION_VERSION_MIN = 7
const READ_COMMITTED = 1
const NO_RECORDS: readonly Buffer[] = []

export const fetchHandler: ApiHandler<FetchRequest, FetchResponse, BrokerServices> = {
  apiKey: ApiKey.Fetch,
  versions: [4, 18],
  handle(request, context, services) {
    if (replicaIdOf(request) >= 0) return { kind: 'response', body: notAFollower(request) }
    const begun = services.fetchSessions.begin(sessionRequest(request, context), services.scheduler.monotonicMs())
    if (!begun.ok) return { kind: 'response', body: { errorCode: begun.error } }
    return new Fetch(request, context, services, begun.value).run()
  },
}

/** Only nodes of the cluster replicate, and not through this API: nothing sent here may look like an acknowledgment. */
function replicaIdOf(request: FetchRequest): number {
  return Math.max(request.replicaId, request.replicaState.replicaId)
}

function notAFollower(request: FetchRequest): Encodable<FetchResponse> {
  const errorCode = ErrorCode.NOT_LEADER_OR_FOLLOWER
  const responses = request.topics.map(({ topic, topicId, partitions }) => ({
    topic,
    topicId,
    partitions: partitions.map(({ partition }) => ({ partitionIndex: partition, errorCode, highWatermark: -1 })),
  }))
  return { responses }
}

function sessionRequest(request: FetchRequest, { apiVersion }: RequestContext): Parameters<BrokerServices['fetchSessions']['begin']>[0] {
  const partitions: SessionFetchPartition[] = []
  for (const { topic, topicId, partitions: asked } of request.topics) {
    for (const one of asked) partitions.push({ topic, topicId, ...one, bytesMax: one.partitionMaxBytes })
  }
  const hasSessions = apiVersion >= SESSION_VERSION_MIN
  return {
    sessionId: hasSessions ? request.sessionId : 0,
    sessionEpoch: hasSessions ? request.sessionEpoch : -1,
    naming: apiVersion >= TOPIC_ID_VERSION_MIN ? 'topic-id' : 'topic-name',
    isFromFollower: false,
    partitions,
    forgotten: forgottenOf(request),
  }
}

function forgottenOf(request: FetchRequest): SessionPartitionName[] {
  return request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((partition) => ({ topic, topicId, partition })),
  )
}

/** One fetch between the session's list of partitions and the answer. */
class Fetch {
  readonly #request: FetchRequest
  readonly #context: RequestContext
  readonly #services: BrokerServices
  readonly #session: FetchContext
  readonly #image: MetadataImage
  readonly #asked: readonly SessionFetchPartition[]
  readonly #names: (string | null)[] = []
  readonly #refusals: (number | null)[] = []
  readonly #wanted: FetchPartition[] = []

  constructor(request: FetchRequest, context: RequestContext, services: BrokerServices, session: FetchContext) {
    this.#request = request
    this.#context = context
    this.#services = services
    this.#session = session
    this.#image = services.image()
    this.#asked = session.partitionsToFetch()
  }

  run(): HandlerResult<FetchResponse> | Promise<HandlerResult<FetchResponse>> {
    for (const partition of this.#asked) this.#sort(partition)
    const { config } = this.#services
    const { maxWaitMs, minBytes, maxBytes, isolationLevel, rackId } = this.#request
    if (this.#wanted.length === 0) return this.#answer([])
    const mayReadFollowers = this.#context.apiVersion >= FOLLOWER_READS_VERSION_MIN
    return this.#services.replicas
      .fetch({
        isolation: isolationLevel === READ_COMMITTED ? 'read_committed' : 'read_uncommitted',
        followerReads: mayReadFollowers ? 'allowed' : 'refused',
        rack: rackId,
        clientId: this.#context.clientId,
        bytesMin: Math.min(minBytes, config.fetchMaxBytes),
        bytesMax: Math.max(0, Math.min(maxBytes, config.fetchMaxBytes)),
        // What is refused is answered at once, not after the wait of the others.
        waitMsMax: this.#hasRefusals() ? 0 : Math.max(0, maxWaitMs),
        partitions: this.#wanted,
      })
      .then((results) => this.#answer(results))
  }

  #sort(partition: SessionFetchPartition): void {
    const byId = partition.topicId !== ZERO_UUID
    const { topics } = this.#image
    const topic = byId ? topics.byId.get(partition.topicId) : topics.byName.get(partition.topic)
    const name = topic?.name ?? (byId ? null : partition.topic)
    const refusal = this.#refusalOf(name, topic?.partitions.length ?? 0, partition, byId)
    this.#names.push(topic === undefined ? null : name)
    this.#refusals.push(refusal)
    if (topic !== undefined) this.#meterAttempt(topic.name, refusal !== null)
    if (refusal !== null) return
    const topicPartition: TopicPartition = { topic: name!, partition: partition.partition }
    const { fetchOffset, bytesMax, currentLeaderEpoch, lastFetchedEpoch } = partition
    this.#wanted.push({ topicPartition, topicId: byId ? partition.topicId : null, fetchOffset, bytesMax, currentLeaderEpoch, lastFetchedEpoch })
  }

  #refusalOf(name: string | null, partitions: number, asked: SessionFetchPartition, byId: boolean): number | null {
    if (this.#context.apiVersion >= TOPIC_ID_VERSION_MIN && !byId) return ErrorCode.UNKNOWN_TOPIC_ID
    if (name === null) return ErrorCode.UNKNOWN_TOPIC_ID
    if (!this.#services.authorizer.authorize(this.#context, 'Read', { type: 'Topic', name })) {
      return ErrorCode.TOPIC_AUTHORIZATION_FAILED
    }
    if (asked.partition < 0 || asked.partition >= partitions) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    return null
  }

  #hasRefusals(): boolean {
    return this.#wanted.length < this.#asked.length
  }

  #answer(results: readonly FetchPartitionResult[]): HandlerResult<FetchResponse> {
    let at = 0
    const all = this.#refusals.map((refusal) => (refusal === null ? results[at++]! : refusedResult(refusal)))
    this.#meterResults(all)
    const told = this.#session.filterResponse(all, this.#services.scheduler.monotonicMs())
    const endpoints = new NodeEndpoints(this.#image, this.#context.listener)
    const responses = this.#grouped(told.partitions, endpoints)
    const { errorCode, sessionId } = told
    const body = { errorCode, sessionId, responses, nodeEndpoints: endpoints.list() }
    return { kind: 'response', body, sent: () => giveBackMemory(results) }
  }

  /** Neighbors of the same topic share an entry; the order, which is the session's, is kept. */
  #grouped(
    told: readonly { readonly partition: SessionFetchPartition; readonly result: FetchPartitionResult }[],
    endpoints: NodeEndpoints,
  ): TopicResponse[] {
    const responses: { topic: string; topicId: SessionFetchPartition['topicId']; partitions: PartitionData[] }[] = []
    for (const { partition, result } of told) {
      const { topic, topicId } = partition
      const last = responses.at(-1)
      const data = this.#data(partition.partition, result, endpoints)
      if (last !== undefined && last.topic === topic && last.topicId === topicId) last.partitions.push(data)
      else responses.push({ topic, topicId, partitions: [data] })
    }
    return responses
  }

  #data(partitionIndex: number, result: FetchPartitionResult, endpoints: NodeEndpoints): PartitionData {
    const { errorCode, highWatermark, lastStableOffset, logStartOffset, abortedTransactions, records } = result
    const data = {
      partitionIndex, errorCode, highWatermark, lastStableOffset, logStartOffset, abortedTransactions, records,
      preferredReadReplica: result.preferredReadReplica ?? -1,
    }
    return { ...data, ...this.#tagged(result, endpoints) }
  }

  #tagged({ divergingEpoch, currentLeader }: FetchPartitionResult, endpoints: NodeEndpoints): PartitionData {
    const diverging = divergingEpoch === null ? {} : { divergingEpoch }
    if (currentLeader === null || this.#context.apiVersion < CURRENT_LEADER_VERSION_MIN) return diverging
    endpoints.add(currentLeader)
    return { ...diverging, currentLeader: leaderIdAndEpoch(currentLeader) }
  }

  #meterAttempt(topic: string, isRefused: boolean): void {
    const { topicMeters } = this.#services
    topicMeters.of(topic).fetchRequests.add()
    topicMeters.all.fetchRequests.add()
    if (isRefused) topicMeters.of(topic).failedFetchRequests.add()
  }

  #meterResults(results: readonly FetchPartitionResult[]): void {
    const { topicMeters } = this.#services
    for (let index = 0; index < results.length; index++) {
      const { recordsSizeBytes, errorCode } = results[index]!
      if (errorCode !== ErrorCode.NONE) topicMeters.all.failedFetchRequests.add()
      const name = this.#names[index]!
      if (recordsSizeBytes === 0 || name === null) continue
      topicMeters.of(name).bytesOut.add(recordsSizeBytes)
      topicMeters.all.bytesOut.add(recordsSizeBytes)
    }
  }
}

function giveBackMemory(results: readonly FetchPartitionResult[]): void {
  for (const { memory } of results) memory?.giveBack()
}

function refusedResult(errorCode: number): FetchPartitionResult {
  return {
    errorCode, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1, divergingEpoch: null, abortedTransactions: null,
    preferredReadReplica: null, records: NO_RECORDS, recordsSizeBytes: 0, memory: null, currentLeader: null,
  }
}
