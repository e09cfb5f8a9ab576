import type { MetadataRecord } from './records.ts'

/**
 * Bytes of records; implemented by transport with protobuf. One payload is one entry of the metadata log,
 * hence one atomic batch; a snapshot is one payload too.
 */
export interface RecordCodec {
  encode(records: readonly MetadataRecord[]): Uint8Array
  /**
   * Throws when the bytes were not made by `encode`: the log is corrupt or from a version that cannot be
   * read.
   */
  decode(bytes: Uint8Array): MetadataRecord[]
}
