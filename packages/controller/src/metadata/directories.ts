/** Log directories of replicas (KIP-858): which one holds each, and what that means for elections. */
import { uuidToBytes } from '@kavka/protocol'
import type { NodeId, Uuid } from '@kavka/protocol'
import type { BrokerRegistration, MetadataImage, PartitionRegistration } from './image.ts'

/** Ids that name no directory but say something of a replica; given to no directory, like the rest of the first hundred ids. */
export const UNASSIGNED_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAA' as Uuid
/** The replica's data is gone or known to be damaged: it may not lead and may not be in sync until it is assigned anew. */
export const LOST_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAQ' as Uuid
/** The broker registered without directories. */
export const MIGRATING_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAg' as Uuid

const RESERVED_IDS_MAX = 100

export function isReservedDirectory(id: Uuid): boolean {
  const bytes = uuidToBytes(id)
  return bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15]! < RESERVED_IDS_MAX
}

/** Where the partition's metadata says that the replica lies. */
export function directoryOf({ replicas, directories }: PartitionRegistration, replica: NodeId): Uuid {
  return directories[replicas.indexOf(replica)] ?? UNASSIGNED_DIRECTORY
}

/** A broker that registered no directory does not tell which are online: then all are. */
export function hasOnlineDirectory({ logDirs }: Pick<BrokerRegistration, 'logDirs'>, directory: Uuid): boolean {
  if (directory === LOST_DIRECTORY) return false
  if (directory === UNASSIGNED_DIRECTORY || directory === MIGRATING_DIRECTORY) return true
  return logDirs.length === 0 || logDirs.includes(directory)
}

/** For a new replica: brokers with several directories choose one themselves, and say which. */
export function defaultDirectory(image: MetadataImage, brokerId: NodeId): Uuid {
  const logDirs = image.brokers.get(brokerId)?.logDirs ?? []
  if (logDirs.length === 0) return MIGRATING_DIRECTORY
  return logDirs.length === 1 ? logDirs[0]! : UNASSIGNED_DIRECTORY
}

/** Of `replicas` in their order: those that stay keep theirs. */
export function directoriesFor(
  image: MetadataImage,
  replicas: readonly NodeId[],
  before: PartitionRegistration | null,
): readonly Uuid[] {
  return replicas.map((id) =>
    before?.replicas.includes(id) === true ? directoryOf(before, id) : defaultDirectory(image, id),
  )
}
