/** AlterPartitionReassignments 0–1, forwarded (KIP-455). */
import { ApiKey } from '@kavka/protocol'
import type { AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse } from '@kavka/protocol'
import { forwardedHandler } from './forwarded.ts'

export const alterPartitionReassignmentsHandler = forwardedHandler<
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse
>({
  apiKey: ApiKey.AlterPartitionReassignments,
  versions: [0, 1],
  timeoutMs: (request) => request.timeoutMs,
  refuse: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
})
