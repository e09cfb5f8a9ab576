/**
 * For tests of this package: records as JSON. The product's codec is protobuf and lives with the transport.
 */
import type { RecordCodec } from '../metadata/record-codec.ts'
import type { MetadataRecord } from '../metadata/records.ts'

export const jsonRecordCodec: RecordCodec = {
  encode: (records) => new TextEncoder().encode(JSON.stringify(records)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as MetadataRecord[],
}
