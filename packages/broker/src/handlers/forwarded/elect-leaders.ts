/** ElectLeaders 0–2, forwarded. Type 0 preferred, 1 unclean (v1, KIP-460); null partitions mean all of them. */
import { ApiKey } from '@kavka/protocol'
import type { ElectLeadersRequest, ElectLeadersResponse } from '@kavka/protocol'
import { forwardedHandler } from './forwarded.ts'

export const electLeadersHandler = forwardedHandler<ElectLeadersRequest, ElectLeadersResponse>({
  apiKey: ApiKey.ElectLeaders,
  versions: [0, 2],
  timeoutMs: (request) => request.timeoutMs,
  refuse: (request, errorCode, errorMessage) => ({
    errorCode,
    replicaElectionResults: (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage })),
    })),
  }),
})
