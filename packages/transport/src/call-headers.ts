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

/** What a caller tells of itself. */
export interface AnnouncedIdentity {
  readonly clusterId: string
  readonly nodeId: NodeId
  readonly brokerEpoch?: number
  readonly leaderId?: NodeId
}

/** The value of a header, null when the call has none of that name. */
export type HeaderLookup = (name: string) => string | null

/** Headers of a call; text is percent-encoded because a cluster id may be any string and a header may not. */
export function headersFor(identity: AnnouncedIdentity): Metadata {
  const headers = new Metadata()
  for (const [name, value] of identityFields(identity)) headers.set(name, value)
  return headers
}

/** The same as names and values. */
export function identityFields(identity: AnnouncedIdentity): [name: string, value: string][] {
  const fields: [string, string][] = [
    [PROTOCOL, PROTOCOL_VERSION],
    [CLUSTER_ID, encodeURIComponent(identity.clusterId)],
    [NODE_ID, String(identity.nodeId)],
  ]
  if (identity.brokerEpoch !== undefined) fields.push([BROKER_EPOCH, String(identity.brokerEpoch)])
  if (identity.leaderId !== undefined) fields.push([LEADER_ID, String(identity.leaderId)])
  return fields
}

/** The caller, or the sentence with which it is refused. */
export function identityFrom(
  headers: HeaderLookup,
  clusterId: string,
): { readonly ok: true; readonly value: CallerIdentity } | { readonly ok: false; readonly error: string } {
  const protocol = headers(PROTOCOL)
  if (protocol !== PROTOCOL_VERSION) return refuse(`protocol version ${protocol} is not spoken here`)
  const callerClusterId = headers(CLUSTER_ID)
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

function integerOf(headers: HeaderLookup, name: string): number | null {
  const text = headers(name)
  if (text === null || !/^-?\d{1,16}$/.test(text)) return null
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : null
}
