import { apiRows } from './gen/apis.ts'
import type { MessageCodec } from './wire/codec.ts'

export { ApiKey } from './gen/apis.ts'

/** Where an API may be asked for. */
export type ListenerKind = 'broker' | 'controller'

/** The facts of one API; both codecs have the same versions. */
export interface ApiDescription {
  readonly key: number
  readonly name: string
  readonly versions: readonly [number, number]
  /** First version with request header 2 and, ApiVersions excepted, response header 1. */
  readonly flexibleFrom: number | null
  readonly requestCodec: MessageCodec<unknown>
  readonly responseCodec: MessageCodec<unknown>
  readonly listeners: readonly ListenerKind[]
  /** A broker passes the request on to the active controller. */
  readonly forwardedToController: boolean
  /** Needs the ClusterAction operation: only nodes of the cluster may ask. */
  readonly clusterAction: boolean
  /** The last version is hidden unless unstable versions are enabled. */
  readonly latestVersionUnstable: boolean
}

/** Every API that has versions, by key, ascending. */
export const apis: ReadonlyMap<number, ApiDescription> = new Map(
  apiRows.map((row) => [row.key, describe(row)]),
)

function describe(row: (typeof apiRows)[number]): ApiDescription {
  const { key, name, listeners, forwardedToController, clusterAction, latestVersionUnstable } = row
  // The table is keyed by number, so the message types of a row are not known here; typed callers use the
  // codecs.
  const requestCodec = row.requestCodec as MessageCodec<unknown>
  const responseCodec = row.responseCodec as MessageCodec<unknown>
  const { versions, flexibleFrom } = requestCodec
  return {
    key,
    name,
    versions,
    flexibleFrom,
    requestCodec,
    responseCodec,
    listeners,
    forwardedToController,
    clusterAction,
    latestVersionUnstable,
  }
}
