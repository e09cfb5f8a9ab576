/**
 * CreateTopics 2–7, forwarded. Partitions and replication of -1 mean the cluster's defaults (v4, KIP-464); v5 answers with the
 * resulting configuration (KIP-525). The controller answers when the records are committed.
 */
import { ApiKey } from '@kavka/protocol'
import type { CreateTopicsRequest, CreateTopicsResponse } from '@kavka/protocol'
import { forwardedHandler } from './forwarded.ts'

export const createTopicsHandler = forwardedHandler<CreateTopicsRequest, CreateTopicsResponse>({
  apiKey: ApiKey.CreateTopics,
  versions: [2, 7],
  timeoutMs: (request) => request.timeoutMs,
  refuse: (request, errorCode, errorMessage) => ({
    topics: request.topics.map(({ name }) => ({ name, errorCode, errorMessage })),
  }),
})
