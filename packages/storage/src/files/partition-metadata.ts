/** `partition.metadata`: the topic id of a partition directory, which a topic created again under the same name does not share. */
import { failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import type { Uuid } from '@kavka/protocol'

export const PARTITION_METADATA_FILE = 'partition.metadata'

/** The error is a sentence without the file's name. */
export function parsePartitionMetadata(text: string): Result<Uuid, string> {
  const match = /^version:\s*(\d+)\s*\r?\ntopic_id:\s*([\w-]{22})(==)?\s*$/.exec(text)
  if (match === null) return failure('it is malformed')
  if (match[1] !== '0') return failure(`its version is ${match[1]}, expected 0`)
  return success(match[2] as Uuid)
}

export function formatPartitionMetadata(topicId: Uuid): string {
  return `version: 0\ntopic_id: ${topicId}`
}
