import type { NodeId } from '@kavka/protocol'
import type { RaftMessage } from '../raft/messages.ts'

/**
 * The way to the other nodes of the quorum; the transport implements it. Messages may be lost, doubled, delayed and
 * reordered: the quorum repeats what matters. The inbound side is `QuorumDriver.receive`, `peerReachable`, `peerUnreachable`.
 */
export interface QuorumPeers {
  /** Never blocks, never throws. Connects when needed; drops the message when the peer cannot be reached. */
  send(to: NodeId, message: RaftMessage): void
}
