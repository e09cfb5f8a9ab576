/** Kafka bytes ⇄ objects. Sans-IO: bytes in, objects out, and back. */
export {
  leaderEpoch,
  nodeId,
  NO_LEADER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  offset,
  topicPartitionName,
  ZERO_UUID,
} from './ids.ts'
export type {
  BrokerEpoch,
  LeaderEpoch,
  NodeId,
  Offset,
  PartitionEpoch,
  ProducerEpoch,
  ProducerId,
  TopicPartition,
  Uuid,
} from './ids.ts'
export { DecodeError, EncodeError } from './wire/errors.ts'
export type { DecodeProblem } from './wire/errors.ts'
export { Reader, READER_ELEMENTS_MAX } from './wire/reader.ts'
export { ExactReader } from './wire/exact-reader.ts'
export { Writer } from './wire/writer.ts'
export type { Bytes } from './wire/writer.ts'
export type { Encodable, MessageCodec } from './wire/codec.ts'
export { UNKNOWN_TAGS_MAX, UNKNOWN_TAG_BYTES_MAX } from './wire/unknown-tags.ts'
export type { UnknownTag } from './wire/unknown-tags.ts'
export { isReservedUuid, parseUuid, uuidAt, uuidFromBytes, uuidToBytes, writeUuid } from './wire/uuid.ts'
export * from './gen/index.ts'
export { ApiKey, apis } from './apis.ts'
export type { ApiDescription, ListenerKind } from './apis.ts'
export { ErrorCode, errorMessage, errorName, errorRow, errorRows } from './error-codes.ts'
export type { ErrorName, ErrorRow } from './error-codes.ts'
export {
  decodeBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequestFrame,
  encodeResponseFrame,
  FRAME_LENGTH_BYTES,
  requestHeaderVersion,
  responseHeaderVersion,
} from './frames.ts'
export type { DecodedResponse, RequestHead, RequestToEncode, ResponseToEncode } from './frames.ts'
