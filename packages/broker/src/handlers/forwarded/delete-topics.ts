/** DeleteTopics 1–6, forwarded. By name, from v6 by topic id too. */
import { ApiKey } from '@kavka/protocol'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '@kavka/protocol'
import { forwardedHandler } from './forwarded.ts'

export const deleteTopicsHandler = forwardedHandler<DeleteTopicsRequest, DeleteTopicsResponse>({
  apiKey: ApiKey.DeleteTopics,
  versions: [1, 6],
  timeoutMs: (request) => request.timeoutMs,
  refuse: (request, errorCode, errorMessage) => ({
    responses: [
      ...request.topicNames.map((name) => ({ name, errorCode, errorMessage })),
      ...request.topics.map(({ name, topicId }) => ({ name, topicId, errorCode, errorMessage })),
    ],
  }),
})
