import type { RequestContext } from '../handlers/handler.ts'

/** What a principal may do with a resource (KIP-11, KIP-48, KIP-584); names as `kafka-acls` prints them. */
export type AclOperation =
  | 'Read'
  | 'Write'
  | 'Create'
  | 'Delete'
  | 'Alter'
  | 'Describe'
  | 'ClusterAction'
  | 'DescribeConfigs'
  | 'AlterConfigs'
  | 'IdempotentWrite'
  | 'CreateTokens'
  | 'DescribeTokens'

export type AclResourceType = 'Topic' | 'Group' | 'Cluster' | 'TransactionalId' | 'DelegationToken' | 'User'

export interface AclResource {
  readonly type: AclResourceType
  /** `kafka-cluster` for the cluster itself. */
  readonly name: string
}

/** The cluster as a resource. */
export const CLUSTER_RESOURCE: AclResource = { type: 'Cluster', name: 'kafka-cluster' }

/** Decides whether whoever sent a request may do something; asked by every handler before it looks at anything else. */
export interface Authorizer {
  authorize(context: RequestContext, operation: AclOperation, resource: AclResource): boolean
}

/** No ACLs: everyone may do everything, as Kafka without `authorizer.class.name`. */
export const allowAllAuthorizer: Authorizer = { authorize: () => true }
