/** UpdateFeatures 0–2, forwarded (KIP-584). */
import { ApiKey } from '@kavka/protocol'
import type { UpdateFeaturesRequest, UpdateFeaturesResponse } from '@kavka/protocol'
import { forwardedHandler } from './forwarded.ts'

export const updateFeaturesHandler = forwardedHandler<UpdateFeaturesRequest, UpdateFeaturesResponse>({
  apiKey: ApiKey.UpdateFeatures,
  versions: [0, 2],
  timeoutMs: (request) => request.timeoutMs,
  refuse: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
})
