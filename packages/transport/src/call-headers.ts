/** What a node says about itself when it opens a call: gRPC metadata, so that a stranger is refused before its first message. */
import { Metadata } from '@grpc/grpc-js'
import type { NodeId } from '@kavka/protocol'

/** Changes only when old and new nodes cannot work together; see proto/README.md. */
const PROTOCOL_VERSION = '1'

const PROTOCOL = 'kavka-protocol'
const CLUSTER_ID = 'kavka-cluster-id'
const NODE_ID = 'kavka-node-id'
const BROKER_EPOCH = 'kavka-broker-epoch'
const LEADER_ID = 'kavka-leader-id'

export interface CallerIdentity {
  readonly clusterId: string
  readonly nodeId: NodeId
  /** -1 where the call does not need one. */
  readonly brokerEpoch: number
  /** Whom the caller believes to talk to as leader; -1 where the call has none. */
  readonly leaderId: number
}

/** Headers of a call; text is percent-encoded because a cluster id may be any string and a header may not. */
export function headersFor(identity: { clusterId: string; nodeId: NodeId; brokerEpoch?: number; leaderId?: NodeId }): Metadata {
  const headers = new Metadata()
  headers.set(PROTOCOL, PROTOCOL_VERSION)
  headers.set(CLUSTER_ID, encodeURIComponent(identity.clusterId))
  headers.set(NODE_ID, String(identity.nodeId))
  if (identity.brokerEpoch !== undefined) headers.set(BROKER_EPOCH, String(identity.brokerEpoch))
  if (identity.leaderId !== undefined) headers.set(LEADER_ID, String(identity.leaderId))
  return headers
}

/** The caller, or the sentence with which it is refused. */
export function identityFrom(
  headers: Metadata,
  clusterId: string,
): { readonly ok: true; readonly value: CallerIdentity } | { readonly ok: false; readonly error: string } {
  const protocol = textOf(headers, PROTOCOL)
  if (protocol !== PROTOCOL_VERSION) return refuse(`protocol version ${protocol} is not spoken here`)
  const callerClusterId = textOf(headers, CLUSTER_ID)
  if (callerClusterId !== encodeURIComponent(clusterId)) return refuse(`cluster id ${callerClusterId} is not ${clusterId}`)
  const nodeId = integerOf(headers, NODE_ID)
  if (nodeId === null || nodeId < 0) return refuse('no node id')
  const brokerEpoch = integerOf(headers, BROKER_EPOCH) ?? -1
  const leaderId = integerOf(headers, LEADER_ID) ?? -1
  return { ok: true, value: { clusterId, nodeId: nodeId as NodeId, brokerEpoch, leaderId } }
}

function refuse(error: string): { readonly ok: false; readonly error: string } {
  return { ok: false, error }
}

function textOf(headers: Metadata, name: string): string | null {
  const value = headers.get(name)[0]
  return value === undefined ? null : String(value)
}

function integerOf(headers: Metadata, name: string): number | null {
  const text = textOf(headers, name)
  if (text === null || !/^-?\d{1,16}$/.test(text)) return null
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : null
}
