/** A state machine whose state is a digest of everything applied: equal digests mean equal histories. */
import { assert } from '@kavka/kernel'
import type { Offset } from '@kavka/protocol'
import type { Entry } from '../messages.ts'

export class ChainedState {
  /** Everything below was applied. */
  applied = 0 as Offset
  digest = 0

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      assert(entry.offset === this.applied, 'R16 applied once, in order', { offset: entry.offset, applied: this.applied })
      this.digest = extend(this.digest, entry)
      this.applied = (this.applied + 1) as Offset
    }
  }

  /** `padding` makes snapshots of several pieces. */
  snapshot(paddingBytes: number): Uint8Array {
    const bytes = new Uint8Array(8 + paddingBytes)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, this.applied)
    view.setUint32(4, this.digest)
    return bytes
  }

  restore(bytes: Uint8Array, offset: Offset): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    this.applied = view.getUint32(0) as Offset
    this.digest = view.getUint32(4)
    assert(this.applied === offset, 'R12 a snapshot is of its offset', { applied: this.applied, offset })
  }
}

/** FNV-1a over what identifies an entry. */
function extend(digest: number, entry: Entry): number {
  let hash = digest ^ 0x811c9dc5
  for (const byte of [entry.offset, entry.epoch, entry.kind.length, ...entry.payload]) {
    hash = Math.imul(hash ^ byte, 0x01000193)
  }
  return hash >>> 0
}
