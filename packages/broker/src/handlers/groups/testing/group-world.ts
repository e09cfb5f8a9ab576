/** Group and offset handlers over a coordinator whose log is in memory; answers are encoded in the version asked for. */
import { silentLogger, seededRandom } from '@kavka/kernel'
import { emptyImage } from '@kavka/controller'
import type { MetadataImage, PartitionRegistration, TopicImage } from '@kavka/controller'
import { apis, errorName, Writer, ZERO_UUID } from '@kavka/protocol'
import type { LeaderEpoch, MessageCodec, NodeId, PartitionEpoch, Uuid } from '@kavka/protocol'
import { VirtualScheduler } from '@kavka/testkit'
import { ScriptedReplicas } from '../../../coordinators/testing/scripted-replicas.ts'
import { GROUP_METADATA_TOPIC, LogBackedGroupCoordinator } from '../../../groups/group-coordinator.ts'
import { defaultGroupOptions } from '../../../groups/group-options.ts'
import { subscription } from '../../../groups/testing/core-harness.ts'
import type { AclOperation, AclResource } from '../../../security/authorizer.ts'
import type { ApiHandler, RequestContext } from '../../handler.ts'
import { ANONYMOUS } from '../../handler.ts'
import { joinGroupHandler } from '../join-group.ts'
import { syncGroupHandler } from '../sync-group.ts'

export const ORDERS = 'iJ0hhef6ROGLWYRK633lsg' as Uuid
export const SECRET = '4DU8j8PfR-68nAgze_nQvg' as Uuid
export const UNKNOWN_ID = 'HLhevujsR9mlAaOGr-wVyg' as Uuid

export function topic(name: string, id: Uuid, count: number): TopicImage {
  const partitions = Array.from({ length: count }, (_, partition): PartitionRegistration => ({
    partition, replicas: [1 as NodeId], directories: [ZERO_UUID], isr: [1 as NodeId], elr: [], lastKnownElr: [], addingReplicas: [], removingReplicas: [],
    leader: 1 as NodeId, leaderRecovery: 'recovered', leaderEpoch: 0 as LeaderEpoch, partitionEpoch: 0 as PartitionEpoch,
  }))
  return { id, name, partitions }
}

export function imageOf(...topics: TopicImage[]): MetadataImage {
  return {
    ...emptyImage,
    brokers: new Map([[1 as NodeId, {
      id: 1 as NodeId, epoch: 1 as never, incarnationId: ZERO_UUID, rack: null, features: new Map(), logDirs: [], fenced: false,
      inControlledShutdown: false, endpoints: [{ listener: 'PLAINTEXT', host: 'kavka-1', port: 9092, securityProtocol: 'PLAINTEXT' }],
    }]]),
    topics: { byId: new Map(topics.map((t) => [t.id, t])), byName: new Map(topics.map((t) => [t.name, t])) },
  }
}

export const GROUP_TOPIC = topic(GROUP_METADATA_TOPIC, 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid, 1)

export async function setUp(options: { deny?: (operation: AclOperation, resource: AclResource) => boolean } = {}) {
  const scheduler = new VirtualScheduler()
  const replicas = new ScriptedReplicas(GROUP_METADATA_TOPIC)
  const world = { image: imageOf(GROUP_TOPIC, topic('orders', ORDERS, 2), topic('secret', SECRET, 1)), isCountedIn: true }
  const groups = new LogBackedGroupCoordinator(
    { ...defaultGroupOptions, groupInitialRebalanceDelayMs: 0, offsetsTopicNumPartitions: 50, offsetsCommitTimeoutMs: 5_000, offsetsLoadBufferSize: 1_000_000 },
    {
      replicas: replicas.asReplicaManager, scheduler, random: seededRandom(1), logger: silentLogger, image: () => world.image,
      isCountedIn: () => world.isCountedIn,
    },
  )
  replicas.elect(0, 1)
  await scheduler.advance(10)
  const created: string[] = []
  const services = {
    groups,
    authorizer: { authorize: (_context: RequestContext, operation: AclOperation, resource: AclResource) => !(options.deny?.(operation, resource) ?? false) },
    image: () => world.image,
    topicCreation: { start: (names: readonly string[]) => void created.push(...names) },
    producerIds: { next: async () => ({ ok: true, value: 4711 }) as const },
  }
  /** Asks in a version and encodes the answer in it, as the wire would. */
  async function ask<Request, Response>(
    handler: ApiHandler<Request, Response, typeof services>,
    apiVersion: number,
    request: Record<string, unknown>,
  ): Promise<Response> {
    const api = apis.get(handler.apiKey)!
    const defaults = (api.requestCodec as MessageCodec<unknown>).defaults() as object
    const result = handler.handle({ ...defaults, ...request } as Request, contextOf(handler.apiKey, apiVersion), services)
    let settled: Awaited<typeof result> | null = null
    void Promise.resolve(result).then((value) => (settled = value))
    await scheduler.runUntil(() => settled !== null)
    const answered = settled as Awaited<typeof result> | null
    if (answered?.kind !== 'response') throw new Error('not answered')
    ;(api.responseCodec as MessageCodec<object>).encode(new Writer(), answered.body as object, apiVersion)
    return answered.body as Response
  }
  return { scheduler, replicas, groups, services, ask, created, world }
}

export function contextOf(apiKey: number, apiVersion: number): RequestContext {
  return {
    apiKey, apiVersion, correlationId: 1, clientId: 'test', listener: 'PLAINTEXT', listenerRole: 'broker', securityProtocol: 'PLAINTEXT',
    principal: ANONYMOUS, connectionId: 'c', clientHost: '/127.0.0.1',
  }
}

export const JOIN = {
  groupId: 'g', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: subscription(['orders']) }],
}

/** A stable group of one. */
export async function member(world: Awaited<ReturnType<typeof setUp>>, version = 9) {
  const joined = await world.ask(joinGroupHandler, 3, JOIN)
  expect(joined.errorCode).toBe(0)
  const assignments = [{ memberId: joined.memberId, assignment: Buffer.from('all') }]
  const synced = await world.ask(syncGroupHandler, 3, { groupId: 'g', memberId: joined.memberId, generationId: joined.generationId, assignments })
  expect([synced.errorCode, String(synced.assignment)]).toEqual([0, 'all'])
  return { memberId: joined.memberId, generationId: joined.generationId, version }
}

export const commitOf = (topics: unknown[], extra: Record<string, unknown> = {}) => ({ groupId: 'g', topics, ...extra })
export const orders = (...partitions: [number, number, string?][]) => ({
  name: 'orders', topicId: ORDERS,
  partitions: partitions.map(([partitionIndex, committedOffset, committedMetadata]) => ({
    partitionIndex, committedOffset, committedLeaderEpoch: -1, committedMetadata: committedMetadata ?? '',
  })),
})
export const codes = (response: { topics: readonly { partitions: readonly { errorCode: number }[] }[] }) =>
  response.topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorName(errorCode)))
