/** The partition directories of a log directory, as a start finds them. */
import { failure, success } from '@kavka/kernel'
import type { FileSystem, Logger, Result } from '@kavka/kernel'
import { ZERO_UUID } from '@kavka/protocol'
import type { TopicPartition, Uuid } from '@kavka/protocol'
import { parsePartitionDirectory } from '../files/log-directory-names.ts'
import { parsePartitionMetadata, PARTITION_METADATA_FILE } from '../files/partition-metadata.ts'
import { readFileIfThere } from '../files/read-file-if-there.ts'

/** Kafka's LogManager leaves the metadata log to Raft. */
const CLUSTER_METADATA_TOPIC = '__cluster_metadata'

export interface FoundLog {
  readonly name: string
  readonly path: string
  readonly topicPartition: TopicPartition
}

/** Removes what is left of deleted partitions; strays and the metadata log are passed over. */
export function* findLogs(directory: string, fs: FileSystem): Iterable<FoundLog> {
  for (const name of fs.list(directory)) {
    const path = `${directory}/${name}`
    const parsed = parsePartitionDirectory(name)
    if (parsed === null || !fs.isDirectory(path)) continue
    if (parsed.kind === 'delete') fs.removeDirectory(path)
    if (parsed.kind !== 'partition' || parsed.topicPartition.topic === CLUSTER_METADATA_TOPIC) continue
    yield { name, path, topicPartition: parsed.topicPartition }
  }
}

export interface TopicIdPorts {
  readonly fs: FileSystem
  readonly logger: Logger
}

/** The zero uuid when the file is missing or torn, as after a crash during creation: the first assignment then brings the id. */
export function readTopicId(path: string, shutdown: 'clean' | 'unclean', { fs, logger }: TopicIdPorts): Result<Uuid, string> {
  const file = `${path}/${PARTITION_METADATA_FILE}`
  const text = readFileIfThere(fs, file)?.toString('utf8') ?? ''
  if (text.length === 0) return success(ZERO_UUID)
  const parsed = parsePartitionMetadata(text)
  if (parsed.ok) return parsed
  if (shutdown === 'clean') return failure(`${file} cannot be used: ${parsed.error}`)
  fs.removeFile(file)
  logger.warn({ path: file }, `A partition lost its topic id in a crash: ${parsed.error}`)
  return success(ZERO_UUID)
}
