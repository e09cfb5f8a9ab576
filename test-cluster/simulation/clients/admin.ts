/** Admin requests on their way through a broker's channel to the active controller. */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { Cluster } from '../cluster.ts'
import { Client } from './client.ts'

const TIMEOUT_MS = 3_000

export class Admin {
  readonly client: Client

  constructor(address: number, cluster: Cluster) {
    this.client = new Client('admin', address, cluster)
  }

  /** The answer of the controller, or null when there was none. */
  async request<T>(apiKey: number, apiVersion: number, body: unknown): Promise<T | null> {
    const reply = await this.client.call(this.client.anyNode(), TIMEOUT_MS, (node) => node.channel.request(
      { apiKey, apiVersion, body, principal: 'User:ANONYMOUS', clientId: 'admin', clientHost: '/sim', listener: 'PLAINTEXT' }, TIMEOUT_MS,
    ))
    return reply?.kind === 'answered' ? (reply.body as T) : null
  }

  async createTopic(name: string, partitions: number, configs: Readonly<Record<string, string>>): Promise<boolean> {
    const { replicationFactor } = this.client.cluster.swarm
    const answer = await this.request<{ topics: { errorCode: number }[] }>(ApiKey.CreateTopics, 7, {
      topics: [{
        name, numPartitions: partitions, replicationFactor, assignments: [],
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      }],
      timeoutMs: TIMEOUT_MS, validateOnly: false,
    })
    const errorCode = answer?.topics[0]?.errorCode
    return errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS
  }

  async deleteTopic(name: string): Promise<void> {
    await this.request(ApiKey.DeleteTopics, 6, { topics: [{ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }], timeoutMs: TIMEOUT_MS })
  }

  async addPartitions(name: string, count: number): Promise<void> {
    await this.request(ApiKey.CreatePartitions, 3, { topics: [{ name, count, assignments: null }], timeoutMs: TIMEOUT_MS, validateOnly: false })
  }

  async alterConfig(topic: string, key: string, value: string): Promise<void> {
    await this.request(ApiKey.IncrementalAlterConfigs, 1, {
      resources: [{ resourceType: 2, resourceName: topic, configs: [{ name: key, configOperation: 0, value }] }], validateOnly: false,
    })
  }

  async electLeaders(): Promise<void> {
    await this.request(ApiKey.ElectLeaders, 2, { electionType: 0, topicPartitions: null, timeoutMs: TIMEOUT_MS })
  }
}
