/** ListPartitionReassignments 0, forwarded (KIP-455). */
import { ApiKey } from '@kavka/protocol'
import type { ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse } from '@kavka/protocol'
import { forwardedHandler } from './forwarded.ts'

export const listPartitionReassignmentsHandler = forwardedHandler<
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse
>({
  apiKey: ApiKey.ListPartitionReassignments,
  versions: [0, 0],
  timeoutMs: (request) => request.timeoutMs,
  refuse: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
})
