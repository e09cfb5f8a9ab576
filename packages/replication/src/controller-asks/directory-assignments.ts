/**
 * Tells the controller which log directory holds a replica, and that a replica's log is damaged (AssignReplicasToDirs, KIP-858): one
 * request at a time, with all that is to be told meanwhile. What was refused is told again when something about the partition or
 * the brokers changed, so a damaged leader that nobody could replace is relieved as soon as somebody can.
 */
import type { Logger } from '@kavka/kernel'
import { LOST_DIRECTORY } from '@kavka/controller'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { AssignReplicasToDirsRequest, AssignReplicasToDirsResponse, NodeId, Uuid } from '@kavka/protocol'
import { ControllerAsks } from './controller-asks.ts'
import type { AskedThings, ControllerAsksDependencies, ControllerAsksOptions } from './controller-asks.ts'
import { PartitionTable } from '../core/partition-table.ts'
import type { Partition } from '../partition/partition.ts'

export interface DirectoryAssignmentsDependencies extends ControllerAsksDependencies {
  readonly logger: Logger
  readonly brokerEpoch: () => number
}

/** As in Kafka; the rest goes into the next request. */
const ASSIGNMENTS_PER_REQUEST_MAX = 2_250

interface Claim {
  readonly partition: Partition
  readonly directory: Uuid
}

export class DirectoryAssignments {
  readonly #localId: NodeId
  readonly #dependencies: DirectoryAssignmentsDependencies
  readonly #asks: ControllerAsks<Claim, AssignReplicasToDirsResponse>
  readonly #waiting = new PartitionTable<Partition>()
  /** Not this broker's any more: a request under way must not bring them back. */
  readonly #forgotten = new WeakSet<Partition>()

  constructor(options: ControllerAsksOptions, dependencies: DirectoryAssignmentsDependencies) {
    this.#localId = options.localId
    this.#dependencies = dependencies
    const asked: AskedThings<Claim, AssignReplicasToDirsResponse> = {
      apiKey: ApiKey.AssignReplicasToDirs,
      apiVersion: 0,
      isWaiting: () => this.#waiting.size > 0,
      take: () => this.#takeClaims(),
      bodyFor: (claims) => this.#requestFor(claims),
      answered: (claims, response) => this.#answered(claims, response),
      unanswered: (claims) => this.#putBack(claims),
    }
    this.#asks = new ControllerAsks(options, asked, dependencies)
  }

  /** Something that decides about the claim of the partition may have changed. */
  review(partition: Partition): void {
    if (partition.directoryClaim === null) {
      this.#waiting.delete(partition)
      return
    }
    this.#waiting.set(partition, partition)
    this.#asks.request()
  }

  forget(partition: Partition): void {
    this.#forgotten.add(partition)
    this.#waiting.delete(partition)
  }

  stop(): void {
    this.#asks.stop()
  }

  #takeClaims(): Claim[] {
    const claims: Claim[] = []
    for (const partition of [...this.#waiting.values()]) {
      if (claims.length === ASSIGNMENTS_PER_REQUEST_MAX) break
      this.#waiting.delete(partition)
      const directory = partition.directoryClaim
      if (directory !== null) claims.push({ partition, directory })
    }
    return claims
  }

  #requestFor(claims: readonly Claim[]): AssignReplicasToDirsRequest {
    const directories = new Map<Uuid, Map<Uuid, { partitionIndex: number }[]>>()
    for (const { partition, directory } of claims) {
      let topics = directories.get(directory)
      if (topics === undefined) directories.set(directory, (topics = new Map()))
      const partitions = topics.get(partition.topicId)
      if (partitions === undefined) topics.set(partition.topicId, [{ partitionIndex: partition.partition }])
      else partitions.push({ partitionIndex: partition.partition })
    }
    return {
      brokerId: this.#localId,
      brokerEpoch: this.#dependencies.brokerEpoch(),
      directories: Array.from(directories, ([id, topics]) => ({
        id,
        topics: Array.from(topics, ([topicId, partitions]) => ({ topicId, partitions })),
      })),
    }
  }

  #answered(claims: readonly Claim[], response: AssignReplicasToDirsResponse): 'done' | 'again' {
    if (response.errorCode !== ErrorCode.NONE) {
      const { errorCode } = response
      this.#dependencies.logger.warn({ errorCode }, 'the controller refused assignments of replicas to directories')
      this.#putBack(claims)
      return 'again'
    }
    const codes = new PartitionTable<number>()
    for (const { topics } of response.directories) {
      for (const { topicId, partitions } of topics) {
        for (const { partitionIndex, errorCode } of partitions) codes.set({ topicId, partition: partitionIndex }, errorCode)
      }
    }
    for (const claim of claims) this.#settle(claim, codes.get(claim.partition) ?? ErrorCode.UNKNOWN_SERVER_ERROR)
    return 'done'
  }

  /** What was accepted shows in the metadata, which reviews the claim; what was refused waits for a change. */
  #settle({ partition, directory }: Claim, errorCode: number): void {
    const { logger } = this.#dependencies
    const facts = { partition: partition.name, directory, errorCode }
    if (errorCode === ErrorCode.NONE) {
      if (directory === LOST_DIRECTORY) logger.warn(facts, 'a replica with a damaged log is out of service until it is filled again')
    } else if (errorCode === ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE) {
      logger.warn(facts, 'the log of this replica is damaged, but no other replica could take over: it goes on')
    } else logger.warn(facts, 'an assignment of a replica to a directory was refused')
  }

  /** Not known to have happened. Told twice it does no harm. */
  #putBack(claims: readonly Claim[]): void {
    for (const { partition } of claims) {
      if (partition.directoryClaim !== null && !this.#forgotten.has(partition)) this.#waiting.set(partition, partition)
    }
  }
}
