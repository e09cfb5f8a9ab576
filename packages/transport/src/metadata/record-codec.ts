/** The records of the metadata log ⇄ protobuf (proto/kavka/internal/v1/metadata.proto). */
import type { MetadataRecord, RecordCodec } from '@kavka/controller'
import { decodeMetadataBatch, encodeMetadataBatch } from '../gen/metadata.ts'
import { decodeProto, encodeProto } from '../proto-runtime.ts'
import { recordFromWire } from './record-from-wire.ts'
import { recordToWire } from './record-to-wire.ts'

export const protobufRecordCodec: RecordCodec = {
  encode: (records: readonly MetadataRecord[]): Uint8Array =>
    encodeProto(encodeMetadataBatch, { records: records.map((record) => ({ record: recordToWire(record) })) }),
  /** Throws WireDecodeError. */
  decode: (bytes: Uint8Array): MetadataRecord[] =>
    decodeProto(decodeMetadataBatch, bytes).records.map(({ record }) => recordFromWire(record)),
}
