/** Admin requests on their way through a broker's channel to the active controller; what was answered goes into the history of R17. */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import type { Cluster } from '../cluster.ts'
import { FOLLOWED_CONFIG } from '../invariants/metadata/admin-history.ts'
import type { AdminOperation } from '../invariants/metadata/admin-history.ts'
import type { ListedReassignment } from '../invariants/metadata/reassignment-checks.ts'
import { Client } from './client.ts'

const TIMEOUT_MS = 3_000
const SET = 0
const TOPIC_RESOURCE = 2

interface TopicsAnswer {
  readonly topics: readonly { readonly errorCode: number }[]
}

export class Admin {
  readonly client: Client
  readonly #reach: 'any-node' | 'one-node'
  #node: NodeId | null = null

  /** `one-node`: asks the same node until it gives no answer, and then at times another. */
  constructor(name: string, address: number, cluster: Cluster, reach: 'any-node' | 'one-node' = 'any-node') {
    this.client = new Client(name, address, cluster)
    this.#reach = reach
  }

  /** From now on, until it gives no answer. */
  keepTo(node: NodeId): void {
    this.#node = node
  }

  /** The answer of the controller, or null when there was none. */
  async request<T>(apiKey: number, apiVersion: number, body: unknown): Promise<T | null> {
    const { client } = this
    const to = this.#node ?? client.anyNode()
    if (this.#reach === 'one-node') this.#node = to
    const reply = await client.call(to, TIMEOUT_MS, (node) => node.channel.request(
      { apiKey, apiVersion, body, principal: 'User:ANONYMOUS', clientId: 'admin', clientHost: '/sim', listener: 'PLAINTEXT' }, TIMEOUT_MS,
    ))
    if (reply?.kind !== 'answered' && this.#node !== null && client.random.unit() < 0.5) this.#node = null
    return reply?.kind === 'answered' ? (reply.body as T) : null
  }

  async createTopic(name: string, partitions: number, configs: Readonly<Record<string, string>>): Promise<boolean> {
    const errorCode = await this.#create(name, partitions, configs, { kind: 'create', partitions, value: configs[FOLLOWED_CONFIG] ?? '' })
    return errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS
  }

  /** Asks the controller, and changes nothing. */
  async exists(name: string): Promise<void> {
    await this.#create(name, 1, {}, { kind: 'validate-create' })
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#recorded(name, { kind: 'delete' }, async () => {
      const body = { topics: [{ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }], timeoutMs: TIMEOUT_MS }
      return (await this.request<{ responses: TopicsAnswer['topics'] }>(ApiKey.DeleteTopics, 6, body))?.responses[0]?.errorCode
    })
  }

  async addPartitions(name: string, count: number): Promise<void> {
    await this.#recorded(name, { kind: 'add-partitions', count }, async () => {
      const body = { topics: [{ name, count, assignments: null }], timeoutMs: TIMEOUT_MS, validateOnly: false }
      return (await this.request<{ results: TopicsAnswer['topics'] }>(ApiKey.CreatePartitions, 3, body))?.results[0]?.errorCode
    })
  }

  async alterConfig(topic: string, key: string, value: string): Promise<void> {
    await this.#recorded(topic, { kind: 'alter', value: key === FOLLOWED_CONFIG ? value : null }, async () => {
      const resources = [{ resourceType: TOPIC_RESOURCE, resourceName: topic, configs: [{ name: key, configOperation: SET, value }] }]
      const answer = await this.request<{ responses: TopicsAnswer['topics'] }>(ApiKey.IncrementalAlterConfigs, 1, { resources, validateOnly: false })
      return answer?.responses[0]?.errorCode
    })
  }

  async electLeaders(): Promise<void> {
    await this.request(ApiKey.ElectLeaders, 2, { electionType: 0, topicPartitions: null, timeoutMs: TIMEOUT_MS })
  }

  /** `target` null: cancels. */
  async reassign(
    { topic, partition }: { readonly topic: string; readonly partition: number },
    target: readonly NodeId[] | null,
  ): Promise<void> {
    const { reassignments } = this.client.cluster
    const pending = reassignments.invoked(topic, partition, target)
    const topics = [{ name: topic, partitions: [{ partitionIndex: partition, replicas: target }] }]
    const body = { timeoutMs: TIMEOUT_MS, allowReplicationFactorChange: true, topics }
    const answer = await this.request<{ responses: { partitions: { errorCode: number }[] }[] }>(ApiKey.AlterPartitionReassignments, 1, body)
    reassignments.answered(pending, answer?.responses[0]?.partitions[0]?.errorCode ?? null)
  }

  async listReassignments(): Promise<void> {
    const { reassignments, world } = this.client.cluster
    const askedMs = world.nowMs
    const answer = await this.request<{ topics: { name: string; partitions: ({ partitionIndex: number } & ListedReassignment)[] }[] }>(
      ApiKey.ListPartitionReassignments, 0, { timeoutMs: TIMEOUT_MS, topics: null },
    )
    if (answer === null) return
    const listed = answer.topics.flatMap(({ name: topic, partitions }) =>
      partitions.map(({ partitionIndex, ...sets }) => ({ ...sets, topic, partition: partitionIndex })))
    reassignments.listed(listed, askedMs)
  }

  #create(name: string, partitions: number, configs: Readonly<Record<string, string>>, operation: AdminOperation): Promise<number | null> {
    const { replicationFactor } = this.client.cluster.swarm
    return this.#recorded(name, operation, async () => {
      const answer = await this.request<TopicsAnswer>(ApiKey.CreateTopics, 7, {
        topics: [{
          name, numPartitions: partitions, replicationFactor, assignments: [],
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        }],
        timeoutMs: TIMEOUT_MS, validateOnly: operation.kind === 'validate-create',
      })
      return answer?.topics[0]?.errorCode
    })
  }

  async #recorded(topic: string, operation: AdminOperation, ask: () => Promise<number | undefined>): Promise<number | null> {
    const { history } = this.client.cluster
    const pending = history.invoked(topic, operation)
    const errorCode = (await ask()) ?? null
    history.answered(pending, errorCode)
    return errorCode
  }
}
