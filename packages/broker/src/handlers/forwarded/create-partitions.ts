/** CreatePartitions 0–3, forwarded. */
import { ApiKey } from '@kavka/protocol'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '@kavka/protocol'
import { forwardedHandler } from './forwarded.ts'

export const createPartitionsHandler = forwardedHandler<CreatePartitionsRequest, CreatePartitionsResponse>({
  apiKey: ApiKey.CreatePartitions,
  versions: [0, 3],
  timeoutMs: (request) => request.timeoutMs,
  refuse: (request, errorCode, errorMessage) => ({
    results: request.topics.map(({ name }) => ({ name, errorCode, errorMessage })),
  }),
})
