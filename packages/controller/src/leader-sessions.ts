import type { NodeId } from '@kavka/protocol'

interface LeaderSession {
  readonly leaderId: NodeId
  /** Another node leads: closes the stream and tells the owner. */
  lose(): void
  close(): void
}

/**
 * The liveness streams that a `ControllerChannel` has open, whatever carries them: each ends once, by its owner, because it broke, or
 * because another node leads the quorum.
 */
export class LeaderSessions {
  readonly #open = new Set<LeaderSession>()

  /** `open` starts the stream and says later that it broke; the owner is told by `onClosed` of every end that is not its own doing. */
  track(leaderId: NodeId, onClosed: () => void, open: (broken: () => void) => { close(): void }): { close(): void } {
    const end = (): boolean => this.#open.delete(session)
    const stream = open(() => {
      if (end()) onClosed()
    })
    const session: LeaderSession = {
      leaderId,
      lose: () => {
        if (!end()) return
        stream.close()
        onClosed()
      },
      close: () => {
        if (end()) stream.close()
      },
    }
    this.#open.add(session)
    return session
  }

  loseAllBut(leaderId: NodeId): void {
    for (const session of [...this.#open]) if (session.leaderId !== leaderId) session.lose()
  }

  /** Without a word to their owners. */
  close(): void {
    for (const session of [...this.#open]) session.close()
  }
}
