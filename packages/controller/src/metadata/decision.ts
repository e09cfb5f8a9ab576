/** What a decision is and what it may look at: the shape that every file named after a request has. */
import type { BrokerConfig, Random } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import type { IndexedImage } from './partition-index.ts'
import type { MetadataRecord } from './records.ts'

/**
 * Records that take effect together or not at all, unless they say otherwise, and the answer to give once they are committed. A request
 * that fails, or only asks, has no records and is answered when everything that it saw is committed.
 */
export interface Decision<Response> {
  readonly records: readonly MetadataRecord[]
  /**
   * `any-prefix`: the records are in such an order that nothing is wrong wherever the log ends between them (the controller died), so
   * that they may be spread over several entries when there are very many. Default `whole`: together or not at all.
   */
  readonly atomicity?: 'whole' | 'any-prefix'
  /** `offset`: of the log entry that holds the records; of the image decided on when there are none. */
  respond(offset: number): Response
}

/**
 * Facts of this node's configuration that decisions depend on; the same on all controllers of a well-kept
 * cluster.
 */
export interface ControllerSettings {
  readonly clusterId: string
  readonly nodeId: NodeId
  readonly config: BrokerConfig
}

export interface DecisionContext {
  /** Everything committed and everything proposed before. */
  readonly image: IndexedImage
  readonly settings: ControllerSettings
  readonly random: Random
}

/** A failure as the protocol reports it. */
export interface ApiError {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export function apiError(errorCode: number, errorMessage: string | null = null): ApiError {
  return { errorCode, errorMessage }
}

export function decided<Response>(
  records: readonly MetadataRecord[],
  response: Response,
): Decision<Response> {
  return { records, respond: () => response }
}

/** Of records each prefix of which is safe. */
export function decidedInParts<Response>(
  records: readonly MetadataRecord[],
  response: Response,
): Decision<Response> {
  return { records, atomicity: 'any-prefix', respond: () => response }
}

/** What `validateOnly` asks for: the answer alone. */
export function withoutRecords<Response>(decision: Decision<Response>): Decision<Response> {
  return { ...decision, records: [] }
}

/** Keys that occur more than once: most requests refuse to treat one thing twice. */
export function repeatedAmong<K>(keys: readonly K[]): ReadonlySet<K> {
  const seen = new Set<K>()
  return new Set(keys.filter((key) => seen.size === seen.add(key).size))
}

/**
 * The records of one part of a request that asks for many things, and how it went: 0 and null, or the error.
 */
export interface PartOutcome {
  readonly records: readonly MetadataRecord[]
  readonly error: ApiError
}
