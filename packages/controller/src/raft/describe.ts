/** Every value of the core as stable prose, for scripts, traces and logs. */
import type { Entry, FetchResult, FetchSnapshotResult, RaftMessage, SnapshotId } from './messages.ts'
import type { HardState, Ready, RoleState, Write } from './ready.ts'

/** `3@2 "text"`: offset, epoch, payload (as text when it is printable). */
export function describeEntry(entry: Entry): string {
  const place = `${entry.offset}@${entry.epoch}`
  return entry.kind === 'leader-change' ? `${place} leader-change` : `${place} ${describePayload(entry.payload)}`
}

function describePayload(payload: Uint8Array): string {
  const printable = payload.every((byte) => byte >= 0x20 && byte < 0x7f)
  if (payload.length > 40) return `(${payload.length} bytes)`
  if (printable) return JSON.stringify(String.fromCharCode(...payload))
  return [...payload].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function describeEntries(entries: readonly Entry[]): string {
  return `[${entries.map(describeEntry).join(', ')}]`
}

export function describeSnapshotId(id: SnapshotId): string {
  return `${id.offset}@${id.epoch}`
}

export function describeHardState({ epoch, votedFor, leaderId }: HardState): string {
  return `epoch=${epoch} voted=${votedFor ?? '-'} leader=${leaderId ?? '-'}`
}

export function describeRole({ kind, epoch, leaderId }: RoleState): string {
  return `${kind} epoch=${epoch} leader=${leaderId ?? '-'}`
}

/** `1>2 vote-request e3 …` */
export function describeMessage(message: RaftMessage): string {
  return `${message.from}>${message.to} ${message.kind} e${message.epoch}${describeBody(message)}`
}

function describeBody(message: RaftMessage): string {
  switch (message.kind) {
    case 'vote-request':
      return ` ${message.phase} log=${message.logEndOffset}@${message.lastEpoch}`
    case 'vote-response':
      return ` ${message.phase} ${message.granted ? 'granted' : 'refused'} leader=${message.leaderId ?? '-'}`
    case 'begin-quorum-epoch':
      return ''
    case 'begin-quorum-epoch-response':
      return ` leader=${message.leaderId ?? '-'}`
    case 'end-quorum-epoch':
      return ` successors=[${message.preferredSuccessors.join(' ')}]`
    case 'fetch-request':
      return ` from=${message.fetchOffset}@${message.lastFetchedEpoch} hw=${message.highWatermark}`
    case 'fetch-response':
      return ` leader=${message.leaderId ?? '-'} hw=${message.highWatermark} ${describeFetchResult(message.result)}`
    case 'fetch-snapshot-request':
      return ` ${describeSnapshotId(message.id)} position=${message.position}`
    case 'fetch-snapshot-response':
      return ` leader=${message.leaderId ?? '-'} ${describeSnapshotResult(message.result)}`
  }
}

function describeFetchResult(result: FetchResult): string {
  switch (result.kind) {
    case 'entries':
      return `entries=${describeEntries(result.entries)}`
    case 'diverging':
      return `diverging epoch=${result.epoch} end=${result.endOffset}`
    case 'snapshot':
      return `snapshot=${describeSnapshotId(result.id)}`
    case 'error':
      return `error=${result.error}`
  }
}

function describeSnapshotResult(result: FetchSnapshotResult): string {
  if (result.kind === 'error') return `error=${result.error}`
  const { id, position, bytes, totalBytes } = result
  return `${describeSnapshotId(id)} bytes=${position}..${position + bytes.length} of ${totalBytes}`
}

export function describeWrite(write: Write): string {
  const parts: string[] = []
  if (write.hardState !== null) parts.push(describeHardState(write.hardState))
  if (write.snapshot !== null) parts.push(`snapshot=${describeSnapshotId(write.snapshot)} (${write.snapshot.bytes.length} bytes)`)
  if (write.logStart !== null) parts.push(`log-start=${write.logStart.offset}@${write.logStart.previousEpoch}`)
  if (write.truncateTo !== null) parts.push(`truncate-to=${write.truncateTo}`)
  if (write.entries.length > 0) parts.push(`entries=${describeEntries(write.entries)}`)
  return parts.join(' ')
}

/** One line for each effect; nothing for an empty `Ready`. */
export function describeReady(ready: Ready): string[] {
  const lines: string[] = []
  if (ready.roleChange !== null) lines.push(`role ${describeRole(ready.roleChange)}`)
  for (const message of ready.messages) lines.push(`send ${describeMessage(message)}`)
  if (ready.write !== null) lines.push(`write ${describeWrite(ready.write)}`)
  for (const message of ready.messagesAfterSync) lines.push(`after sync send ${describeMessage(message)}`)
  if (ready.snapshotToInstall !== null) lines.push(`install snapshot=${describeSnapshotId(ready.snapshotToInstall)}`)
  if (ready.committed.length > 0) lines.push(`commit ${describeEntries(ready.committed)}`)
  return lines
}
