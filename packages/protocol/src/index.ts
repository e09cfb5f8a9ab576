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
export {
  isReservedUuid,
  METADATA_TOPIC_ID,
  parseUuid,
  uuidAt,
  uuidFromBytes,
  uuidToBytes,
  writeUuid,
} from './wire/uuid.ts'
export * from './gen/index.ts'
export {
  coordinatorKeyType,
  decodeCoordinatorKey,
  decodeMessage,
  decodeVersioned,
  decodeVersionedLeniently,
  encodeCoordinatorKey,
  encodeMessage,
  encodeMetadataRecord,
  encodeVersioned,
  readMetadataRecordHead,
} from './stored-messages.ts'
export type { MetadataRecordHead } from './stored-messages.ts'
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
export {
  batchAttributes,
  batchBaseOffset,
  batchBaseSequence,
  batchBaseTimestamp,
  batchCodecId,
  batchCrc,
  batchDeleteHorizonMs,
  batchHasUnsafeInt64,
  batchIsControl,
  batchIsTransactional,
  batchLastOffset,
  batchLastOffsetDelta,
  batchLastSequence,
  batchLeaderEpoch,
  batchMagic,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  batchSizeBytes,
  batchTimestampType,
  BATCH_HEADER_BYTES,
  CONTROL_BIT,
  DELETE_HORIZON_BIT,
  int64At,
  LOG_APPEND_TIME_BIT,
  LOG_OVERHEAD_BYTES,
  sequenceAfter,
  setAttributes,
  setBaseOffsetAndLeaderEpoch,
  TRANSACTIONAL_BIT,
  writeInt64At,
} from './records/batch-layout.ts'
export type { TimestampType } from './records/batch-layout.ts'
export { readBatchHeader, writeBatchHeader } from './records/batch-header.ts'
export type { BatchHeader } from './records/batch-header.ts'
export {
  batchFault,
  computeBatchCrc,
  sealBatchCrc,
  setMaxTimestamp,
  verifyBatchCrc,
} from './records/batch-crc.ts'
export { crc32c } from './records/crc32c.ts'
export { batchesIn, batchStep, nextBatchBytes } from './records/batch-walk.ts'
export type { BatchStep } from './records/batch-walk.ts'
export { buildBatch } from './records/build-batch.ts'
export type { BatchOptions, RecordToWrite } from './records/build-batch.ts'
export {
  buildEndTransactionMarker,
  buildRaftControlBatch,
  controlRecordKey,
  ControlRecordType,
  readControlRecord,
} from './records/control-records.ts'
export type { ControlRecord, EndTransactionMarker } from './records/control-records.ts'
export { checkProduceRecords } from './records/produce-records.ts'
export { openRecords, recordsOf } from './records/read-records.ts'
export { RecordCursor } from './records/record-cursor.ts'
export type { LogRecord, RecordHeader } from './records/record.ts'
export type { RecordFault } from './records/record-fault.ts'
export { compress, decompress } from './records/compression/compression.ts'
export type { RecordReadOptions } from './records/compression/compression.ts'
export {
  codecId,
  codecOfId,
  COMPRESSION_CODECS,
  DECOMPRESSED_BYTES_MAX,
} from './records/compression/codec.ts'
export type { CompressionCodec } from './records/compression/codec.ts'
export {
  coordinatorPartitionFor,
  javaAbs,
  javaStringHash,
} from './names/partition-hash.ts'
export {
  CLUSTER_METADATA_TOPIC,
  GROUP_METADATA_TOPIC,
  isInternalTopic,
  SHARE_GROUP_STATE_TOPIC,
  TOPIC_NAME_LENGTH_MAX,
  isTopicName,
  topicNameProblem,
  TRANSACTION_STATE_TOPIC,
  unifiedTopicName,
} from './names/topic-name.ts'
