/** Planted bugs: the checkers must find every one. */
import { groupMutants } from './group-mutants.ts'
import { metadataMutants } from './metadata-mutants.ts'
import type { Mutant } from './mutant.ts'
import { quorumMutants } from './quorum-mutants.ts'
import { replicationMutants } from './replication-mutants.ts'
import { storageMutants } from './storage-mutants.ts'

export const mutants: readonly Mutant[] = [...quorumMutants, ...metadataMutants, ...replicationMutants, ...storageMutants, ...groupMutants]
