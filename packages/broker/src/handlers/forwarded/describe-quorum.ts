/** DescribeQuorum 0–2, forwarded: the leader alone knows how far the others are. v1 adds times (KIP-836), v2 endpoints (KIP-853). */
import { ApiKey } from '@kavka/protocol'
import type { DescribeQuorumRequest, DescribeQuorumResponse } from '@kavka/protocol'
import { FORWARD_TIMEOUT_MS, forwardedHandler } from './forwarded.ts'

export const describeQuorumHandler = forwardedHandler<DescribeQuorumRequest, DescribeQuorumResponse>({
  apiKey: ApiKey.DescribeQuorum,
  versions: [0, 2],
  timeoutMs: () => FORWARD_TIMEOUT_MS,
  refuse: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
})
