/**
 * Which files of a LevelDB directory hold its state: others are leftovers of a process that ended while it made or removed them, torn
 * perhaps, and LevelDB removes them when it opens. Its manifest is a log of edits, each a row of tagged fields (`VersionEdit` in
 * db/version_edit.cc).
 */
import { recordsOf } from './log-fragments.ts'
import { takeBytes, takeVarint } from './varints.ts'
import type { Cursor } from './varints.ts'

export interface LiveFiles {
  /** Sizes of tables by number. */
  readonly tables: ReadonlyMap<number, number>
  /** Logs from this number on are replayed. */
  readonly logNumberMin: number
}

const COMPARATOR = 1
const LOG_NUMBER = 2
const NEXT_FILE = 3
const LAST_SEQUENCE = 4
const COMPACT_POINTER = 5
const DELETED_FILE = 6
const NEW_FILE = 7
const PREVIOUS_LOG_NUMBER = 9

/** Null when an edit cannot be read: LevelDB will say what it thinks of that. */
export function liveFilesOf(manifest: Buffer): LiveFiles | null {
  const state = { tables: new Map<number, number>(), logNumberMin: 0 }
  for (const record of recordsOf(manifest)) if (!applyEdit(record, state)) return null
  return state
}

function applyEdit(record: Buffer, state: { readonly tables: Map<number, number>; logNumberMin: number }): boolean {
  const cursor: Cursor = { bytes: record, at: 0 }
  while (cursor.at < record.length) {
    switch (takeVarint(cursor)) {
      case COMPARATOR:
        takeBytes(cursor)
        break
      case LOG_NUMBER:
        state.logNumberMin = takeVarint(cursor)
        break
      case NEXT_FILE:
      case LAST_SEQUENCE:
      case PREVIOUS_LOG_NUMBER:
        takeVarint(cursor)
        break
      case COMPACT_POINTER:
        takeVarint(cursor)
        takeBytes(cursor)
        break
      case DELETED_FILE:
        takeVarint(cursor)
        state.tables.delete(takeVarint(cursor))
        break
      case NEW_FILE: {
        takeVarint(cursor)
        const number = takeVarint(cursor)
        state.tables.set(number, takeVarint(cursor))
        takeBytes(cursor)
        takeBytes(cursor)
        break
      }
      default:
        return false
    }
  }
  return cursor.at === record.length
}
