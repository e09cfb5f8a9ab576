/**
 * ApiVersions 0–4.
 * Behavior: lists what the table of the listener serves; features from the metadata (KIP-584).
 * Versions: v3 names the client's software, INVALID_REQUEST when it is no word (KIP-511). Before v4 supported features whose lowest
 * level is 0 are left out, because old Java clients fail on them. An unknown version never gets here: the dispatcher answers it.
 * Produce is listed from 0, although 0–2 are refused: librdkafka needs 0 inside the range (KAFKA-18659).
 */
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { ApiVersionsRequest, ApiVersionsResponse, Encodable } from '@kavka/protocol'
import { isClientSoftwareWord } from '../../net/client-software.ts'
import type { ApiHandler } from '../handler.ts'
import type { NodeServices } from '../services.ts'

const PRODUCE_VERSION_ADVERTISED_MIN = 0

export const apiVersionsHandler: ApiHandler<ApiVersionsRequest, ApiVersionsResponse, NodeServices> = {
  apiKey: ApiKey.ApiVersions,
  versions: [0, 4],
  handle(request, context, services) {
    const isNamed = isClientSoftwareWord(request.clientSoftwareName) && isClientSoftwareWord(request.clientSoftwareVersion)
    if (context.apiVersion >= 3 && !isNamed) {
      return { kind: 'response', body: { errorCode: ErrorCode.INVALID_REQUEST } }
    }
    return { kind: 'response', body: { apiKeys: apiKeys(services), ...features(services, context.apiVersion) } }
  },
}

function apiKeys(services: NodeServices): Encodable<ApiVersionsResponse['apiKeys']> {
  return services.apiTable().handlers.map(({ api, versions }) => ({
    apiKey: api.key,
    minVersion: api.key === ApiKey.Produce ? PRODUCE_VERSION_ADVERTISED_MIN : versions[0],
    maxVersion: versions[1],
  }))
}

function features(services: NodeServices, apiVersion: number): Encodable<ApiVersionsResponse> {
  const image = services.image()
  const supported = services.supportedFeatures
    .filter(({ min }) => apiVersion >= 4 || min > 0)
    .map(({ name, min, max }) => ({ name, minVersion: min, maxVersion: max }))
  const finalized = [...image.features]
    .filter(([, level]) => level > 0)
    .map(([name, level]) => ({ name, minVersionLevel: level, maxVersionLevel: level }))
  return { supportedFeatures: supported, finalizedFeatures: finalized, finalizedFeaturesEpoch: image.offset }
}
