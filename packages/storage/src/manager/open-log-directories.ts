/** The log directories of a node at its start: each locked and identified; one whose disk fails is set aside while others are left. */
import { assert, failure, success } from '@kavka/kernel'
import type { Result } from '@kavka/kernel'
import { ZERO_UUID } from '@kavka/protocol'
import { LogDirectoryStore } from './log-directory-store.ts'
import type { LogDirectoryStatus, StorePorts } from './log-directory-store.ts'
import type { LogManagerOptions } from './log-manager-options.ts'

/** Why a node cannot start with its log directories. */
export interface LogStartupError {
  readonly kind: 'locked-or-foreign' | 'damaged' | 'failed'
  /** A sentence for the operator. */
  readonly message: string
}

export interface OpenedLogDirectories {
  readonly stores: readonly LogDirectoryStore[]
  /** Their disks failed before they could be identified. */
  readonly unusable: readonly LogDirectoryStatus[]
}

/** Locks them all or, on an error, none. */
export function openLogDirectories(options: LogManagerOptions, ports: StorePorts): Result<OpenedLogDirectories, LogStartupError> {
  assert(options.logDirs.length > 0, 'a node needs a log directory')
  const stores: LogDirectoryStore[] = []
  const unusable: LogDirectoryStatus[] = []
  for (const path of options.logDirs) {
    const opened = openStore(path, options, ports)
    if (opened.ok) {
      stores.push(opened.value)
    } else if (opened.error.kind === 'failed' && options.logDirs.length > unusable.length + 1) {
      ports.logger.error({ directory: path }, opened.error.message)
      unusable.push({ path, directoryId: ZERO_UUID, state: 'offline' })
    } else {
      for (const store of stores) store.unlock()
      return opened
    }
  }
  return success({ stores, unusable })
}

function openStore(path: string, options: LogManagerOptions, ports: StorePorts): Result<LogDirectoryStore, LogStartupError> {
  try {
    const opened = LogDirectoryStore.open(path, options, ports)
    return opened.ok ? opened : failure({ kind: 'locked-or-foreign', message: opened.error })
  } catch (error) {
    return failure({ kind: 'failed', message: `${path} cannot be used as a log directory: ${(error as Error).message}` })
  }
}
