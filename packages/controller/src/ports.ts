import type { NodeId } from '@kavka/protocol'
import type { Endpoint } from './metadata/image.ts'

/**
 * A request that only the active controller may answer, in Kafka's own encoding: the message schemas exist once, and an admin
 * request forwarded by a broker, one sent straight to a controller listener (KIP-919) and a broker's own AlterPartition take one road.
 * APIs: BrokerRegistration, BrokerHeartbeat, AlterPartition, AllocateProducerIds, ControllerRegistration,
 * CreateTopics, DeleteTopics, CreatePartitions,
 * AlterConfigs, IncrementalAlterConfigs, ElectLeaders, DescribeQuorum, UnregisterBroker, UpdateFeatures, AlterPartitionReassignments,
 * ListPartitionReassignments.
 */
export interface ControllerRequest {
  readonly apiKey: number
  readonly apiVersion: number
  /** Decoded request message of that API. */
  readonly body: unknown
  /** Who asked the first broker: authorization is decided for them, not for the forwarder. */
  readonly principal: string
  readonly clientId: string
  readonly clientHost: string
  readonly listener: string
}

export type ControllerReply =
  | { readonly kind: 'answered'; readonly body: unknown }
  /** Not the active controller (any more): ask the one named, or wait until there is one. Nothing was done. */
  | { readonly kind: 'not-controller'; readonly leaderId: NodeId | null }
  /** The connection broke or timed out: it may or may not have happened. */
  | { readonly kind: 'unreachable' }

/** How a node asks the active controller; local calls when the controller is this process. Implemented by transport. */
export interface ControllerChannel {
  request(request: ControllerRequest, timeoutMs: number): Promise<ControllerReply>
  /**
   * Opens the liveness stream of a registered broker to the active controller: nothing is sent on it but its existence.
   * When it breaks the controller probes the broker; when the broker sees it break, it looks for the new controller.
   */
  openSession(session: { readonly brokerId: NodeId; readonly brokerEpoch: number }, onClosed: () => void): { close(): void }
}

/** What the controller side of the transport calls on the quorum controller of this process. */
export interface ControllerService {
  handle(request: ControllerRequest): Promise<ControllerReply>
  sessionOpened(brokerId: NodeId, brokerEpoch: number): void
  /** The stream of that incarnation ended, for whatever reason. */
  sessionLost(brokerId: NodeId, brokerEpoch: number): void
}

/** Asks whether something still listens at an address: how a broken stream is told from a dead process. */
export interface LivenessProbe {
  /** `refused`: the machine answered that nobody listens. `unknown`: silence or an unreachable host, which proves nothing. */
  probe(endpoint: Pick<Endpoint, 'host' | 'port'>): Promise<'refused' | 'answered' | 'unknown'>
}
