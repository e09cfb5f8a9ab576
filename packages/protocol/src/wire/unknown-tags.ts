/** A tagged field that the schema does not know; kept so that it survives decode and encode (KIP-482). */
export interface UnknownTag {
  readonly tag: number
  readonly data: Buffer
}

/** No real client sends more than a handful; the bound keeps a struct from being used as storage. */
export const UNKNOWN_TAGS_MAX = 64
/** Bytes of all unknown tagged fields of one struct. */
export const UNKNOWN_TAG_BYTES_MAX = 128 * 1024

export const NO_UNKNOWN_TAGS: readonly UnknownTag[] = []
