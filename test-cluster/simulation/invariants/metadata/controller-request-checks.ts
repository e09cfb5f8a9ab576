/** C3 and C4, the half about requests: what a controller may accept, given what was committed when it was asked. */
import type { ControllerReply, ControllerRequest, MetadataImage } from '@kavka/controller'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { AlterPartitionRequest, AlterPartitionRequestPartitionData, AlterPartitionResponse, NodeId, Uuid } from '@kavka/protocol'
import type { World } from '../../world/world.ts'

interface Doomed {
  readonly topicId: Uuid
  readonly partition: number
  readonly predicate: 'C3 StaleBrokerRefused' | 'C4 StalePartitionEpochRefused'
  readonly details: Readonly<Record<string, unknown>>
}

const NOTHING_TO_JUDGE = (): void => {}

export class ControllerRequestChecks {
  readonly #world: World
  readonly #image: () => MetadataImage

  constructor(world: World, image: () => MetadataImage) {
    this.#world = world
    this.#image = image
  }

  /**
   * A controller is asked; call the result with its reply. `isNewest`: it leads in the newest epoch there is, so that it knows
   * all that is committed; one that was deposed may still answer from the past, and nothing comes of it.
   */
  asked(request: ControllerRequest, isNewest: boolean): (reply: ControllerReply) => void {
    if (request.apiKey !== ApiKey.AlterPartition || !isNewest) return NOTHING_TO_JUDGE
    const doomed = this.#doomedOf(request.body as AlterPartitionRequest)
    if (doomed.length === 0) return NOTHING_TO_JUDGE
    return (reply) => {
      if (reply.kind === 'answered') this.#judge(doomed, reply.body as AlterPartitionResponse)
    }
  }

  #doomedOf({ brokerId, brokerEpoch, topics }: AlterPartitionRequest): Doomed[] {
    const image = this.#image()
    const sender = image.brokers.get(brokerId as NodeId)?.epoch ?? -1
    const doomed: Doomed[] = []
    for (const { topicId, partitions } of topics) {
      for (const data of partitions) {
        const at = { topicId, partition: data.partitionIndex }
        if (brokerEpoch < sender) doomed.push({ ...at, predicate: 'C3 StaleBrokerRefused', details: { brokerId, brokerEpoch, sender } })
        doomed.push(...this.#doomedMembers(at, data), ...this.#doomedEpoch(at, data))
      }
    }
    return doomed
  }

  #doomedMembers(at: Pick<Doomed, 'topicId' | 'partition'>, { newIsrWithEpochs }: AlterPartitionRequestPartitionData): Doomed[] {
    const registered = (id: number): number => this.#image().brokers.get(id as NodeId)?.epoch ?? -1
    const stale = newIsrWithEpochs.filter(({ brokerId, brokerEpoch }) => brokerEpoch >= 0 && brokerEpoch < registered(brokerId))
    if (stale.length > 0) this.#world.probes.hit('proposal with a stale broker epoch')
    return stale.map(({ brokerId, brokerEpoch }) => ({ ...at, predicate: 'C3 StaleBrokerRefused', details: { member: brokerId, brokerEpoch } }))
  }

  #doomedEpoch(at: Pick<Doomed, 'topicId' | 'partition'>, { leaderEpoch, partitionEpoch }: AlterPartitionRequestPartitionData): Doomed[] {
    const known = this.#image().topics.byId.get(at.topicId)?.partitions[at.partition]
    if (known === undefined || partitionEpoch >= known.partitionEpoch) return []
    if (leaderEpoch === known.leaderEpoch) this.#world.probes.hit('proposal with a stale partition epoch')
    return [{ ...at, predicate: 'C4 StalePartitionEpochRefused', details: { leaderEpoch, partitionEpoch, known: known.partitionEpoch } }]
  }

  #judge(doomed: readonly Doomed[], { errorCode, topics }: AlterPartitionResponse): void {
    for (const { topicId, partition, predicate, details } of doomed) {
      const answer = topics.find((topic) => topic.topicId === topicId)?.partitions.find((one) => one.partitionIndex === partition)
      const isRefused = errorCode !== ErrorCode.NONE || answer?.errorCode !== ErrorCode.NONE
      this.#world.judge(predicate, isRefused, { partition: `${topicId}-${partition}`, ...details })
    }
  }
}
