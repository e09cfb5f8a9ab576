/** The bit field of operations that a client may ask for in Metadata and the Describe APIs (KIP-430). */
import type { AclOperation, AclResource, Authorizer } from '../security/authorizer.ts'
import type { RequestContext } from './handler.ts'

const operationCodes: Readonly<Record<AclOperation, number>> = {
  Read: 3, Write: 4, Create: 5, Delete: 6, Alter: 7, Describe: 8, ClusterAction: 9, DescribeConfigs: 10, AlterConfigs: 11,
  IdempotentWrite: 12, CreateTokens: 13, DescribeTokens: 14,
}

export const TOPIC_OPERATIONS: readonly AclOperation[] = [
  'Read', 'Write', 'Create', 'Describe', 'Delete', 'Alter', 'DescribeConfigs', 'AlterConfigs',
]
export const CLUSTER_OPERATIONS: readonly AclOperation[] = [
  'Create', 'ClusterAction', 'DescribeConfigs', 'AlterConfigs', 'IdempotentWrite', 'Alter', 'Describe',
]

/** Bit n set: the operation with code n is allowed. */
export function authorizedOperations(
  authorizer: Authorizer,
  context: RequestContext,
  resource: AclResource,
  operations: readonly AclOperation[],
): number {
  let bits = 0
  for (const operation of operations) {
    if (authorizer.authorize(context, operation, resource)) bits |= 1 << operationCodes[operation]
  }
  return bits
}
