/** UnregisterBroker 0, forwarded. */
import { ApiKey } from '@kavka/protocol'
import type { UnregisterBrokerRequest, UnregisterBrokerResponse } from '@kavka/protocol'
import { FORWARD_TIMEOUT_MS, forwardedHandler } from './forwarded.ts'

export const unregisterBrokerHandler = forwardedHandler<UnregisterBrokerRequest, UnregisterBrokerResponse>({
  apiKey: ApiKey.UnregisterBroker,
  versions: [0, 0],
  timeoutMs: () => FORWARD_TIMEOUT_MS,
  refuse: (_request, errorCode, errorMessage) => ({ errorCode, errorMessage }),
})
