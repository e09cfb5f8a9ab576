/**
 * UpdateFeatures (57) v0–2: finalizes levels of features. All updates take effect or none (v2 reports one
 * error for all). Upgrade types (v1+): 1 only up, 2 down where nothing is lost, 3 down regardless; v0 has
 * `allowDowngrade` instead.
 */
import { ErrorCode } from '@kavka/protocol'
import type {
  Encodable,
  UpdateFeaturesRequest,
  UpdateFeaturesRequestFeatureUpdateKey,
  UpdateFeaturesResponse,
} from '@kavka/protocol'
import type { ApiError, Decision, DecisionContext } from '../decision.ts'
import { apiError, decided, repeatedAmong } from '../decision.ts'
import { partitionChange } from '../records.ts'
import type { MetadataRecord } from '../records.ts'
import { ELIGIBLE_LEADER_REPLICAS, supportedFeatures } from './supported-features.ts'
import { partitionsIn } from '../partition-index.ts'

const VERSION_WITHOUT_RESULTS = 2
const UPGRADE = 1
const UNSAFE_DOWNGRADE = 3

export function decideUpdateFeatures(
  context: DecisionContext,
  request: UpdateFeaturesRequest,
  version: number,
): Decision<Encodable<UpdateFeaturesResponse>> {
  const updates = request.featureUpdates
  const repeated = repeatedAmong(updates.map(({ feature }) => feature))
  const errors = updates.map((update) => {
    const twice = apiError(ErrorCode.INVALID_REQUEST, `${update.feature} is named more than once.`)
    return repeated.has(update.feature) ? twice : check(context, update, version)
  })
  const first = errors.find((error) => error !== null)
  if (first !== undefined) return refused(updates, errors, first, version)
  const results = updates.map(({ feature }) => ({ feature, ...apiError(ErrorCode.NONE) }))
  const records = request.validateOnly ? [] : updates.flatMap((update) => recordsOf(context, update))
  return decided(records, {
    ...apiError(ErrorCode.NONE),
    results: version < VERSION_WITHOUT_RESULTS ? results : [],
  })
}

/** All or nothing: what had no error of its own has the first of the others. */
function refused(
  updates: readonly UpdateFeaturesRequestFeatureUpdateKey[],
  errors: readonly (ApiError | null)[],
  { errorCode, errorMessage }: ApiError,
  version: number,
): Decision<Encodable<UpdateFeaturesResponse>> {
  const notDone = apiError(errorCode, `The update failed for all features since the following feature had an error: ${errorMessage}`)
  if (version >= VERSION_WITHOUT_RESULTS) return decided([], { ...notDone, results: [] })
  return decided([], {
    ...apiError(ErrorCode.NONE),
    results: updates.map(({ feature }, i) => ({ feature, ...(errors[i] ?? notDone) })),
  })
}

function check(
  { image }: DecisionContext,
  update: UpdateFeaturesRequestFeatureUpdateKey,
  version: number,
): ApiError | null {
  const { feature, maxVersionLevel: level } = update
  const supported = supportedFeatures.find(({ name }) => name === feature)
  const invalid = (why: string): ApiError =>
    apiError(
      ErrorCode.INVALID_UPDATE_VERSION,
      `Invalid update version ${level} for feature ${feature}. ${why}`,
    )
  if (supported === undefined)
    return invalid('The controller does not support the given upgrade/downgrade level: unknown feature.')
  if (level < supported.min || level > supported.max) {
    return invalid(
      `Local controller ${supported.max === 0 ? 'supports only level 0' : `supports versions ${supported.min}-${supported.max}`}.`,
    )
  }
  const strangers = [...image.brokers.values(), ...image.controllers.values()].filter(({ features }) => {
    const range = features.get(feature) ?? { min: 0, max: 0 }
    return level < range.min || level > range.max
  })
  if (strangers.length > 0) return invalid(`Node ${strangers[0]!.id} does not support it.`)
  return level < (image.features.get(feature) ?? 0) ? checkDowngrade(update, version, invalid) : null
}

function checkDowngrade(
  update: UpdateFeaturesRequestFeatureUpdateKey,
  version: number,
  invalid: (why: string) => ApiError,
): ApiError | null {
  const allowed =
    version === 0
      ? update.allowDowngrade
      : update.upgradeType !== UPGRADE && update.upgradeType <= UNSAFE_DOWNGRADE
  return allowed
    ? null
    : invalid(
        "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.",
      )
}

function recordsOf(
  { image }: DecisionContext,
  { feature, maxVersionLevel: level }: UpdateFeaturesRequestFeatureUpdateKey,
): MetadataRecord[] {
  const record = { kind: 'feature-level', name: feature, level } as const
  return feature === ELIGIBLE_LEADER_REPLICAS && level === 0 ? [record, ...forgetElr()] : [record]

  /** Without the feature nobody keeps the sets up to date: what is in them must not be believed later. */
  function forgetElr(): MetadataRecord[] {
    return [...partitionsIn(image, image.index.withElr)].map(({ topic, registration }) => {
      return partitionChange(topic.id, registration.partition, { elr: [], lastKnownElr: [] })
    })
  }
}
