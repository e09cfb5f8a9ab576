import type { LeaderEpoch, NodeId, Uuid } from '@kavka/protocol'

/**
 * One bidirectional stream per (follower, leader) pair carries all their partitions. The follower opens it, is the gRPC client,
 * and says per partition where it wants to read next and what it has made durable: only the second acknowledges.
 * The leader keeps the positions and answers with raw batches as soon as it has them.
 */
export interface ReplicationTransport {
  /** Dials the leader's inter-broker listener. Frames keep their order in each direction. */
  openStream(leader: { readonly id: NodeId; readonly host: string; readonly port: number }, hello: FollowerHello, events: FollowerStreamEvents): FollowerStream
  /** Registers the leader side; called for each stream a follower opens to this broker. */
  onFollower(accept: (hello: FollowerHello, stream: LeaderStream) => LeaderStreamEvents): void
}

export interface FollowerHello {
  readonly clusterId: string
  readonly followerId: NodeId
  /** Fences a follower that the controller has registered anew since (KIP-903). */
  readonly followerBrokerEpoch: number
  readonly leaderId: NodeId
}

export interface FollowerStreamEvents {
  /** Record bytes are lent until the turn of the event loop ends: the memory they lie in is used again for the next ones. */
  frame(frame: LeaderFrame): void
  /** Broken, refused or closed by the leader; nothing more arrives. */
  closed(reason: string): void
}

export interface FollowerStream {
  send(frame: FollowerFrame): void
  close(): void
}

export interface LeaderStream {
  /** Returns false when the stream's buffer is full: stop reading logs until `drained`. Record bytes are sent as they lie and may not change. */
  send(frame: LeaderFrame): boolean
  close(reason: string): void
}

export interface LeaderStreamEvents {
  frame(frame: FollowerFrame): void
  drained(): void
  closed(): void
}

/**
 * Changes since the last frame; a partition stays on the stream until it is removed. `window` replaces a request id:
 * the leader may send as many data frames as the follower has granted and gets one back with each frame the follower handled.
 */
export interface FollowerFrame {
  readonly creditFrames: number
  readonly positions: readonly FollowerPosition[]
  readonly removed: readonly PartitionKey[]
}

export interface PartitionKey {
  readonly topicId: Uuid
  readonly partition: number
}

export interface FollowerPosition extends PartitionKey {
  /** The follower's view: a different epoch at the leader is answered with an error, never with data. */
  readonly currentLeaderEpoch: LeaderEpoch
  /** Next offset wanted = log end offset of the follower. */
  readonly fetchOffset: number
  /** Epoch of the record before `fetchOffset`, -1 for an empty log: lets the leader find a divergence (KIP-595). */
  readonly lastFetchedEpoch: number
  /** Everything below is durable at the follower. */
  readonly durableEndOffset: number
  readonly logStartOffset: number
  /** What the follower believes the high watermark is; the leader sends a frame when it has news. */
  readonly highWatermark: number
  /** `restart`: forget what is in flight and start at `fetchOffset`. `acknowledge`: only the durable end moved. */
  readonly intent: 'restart' | 'acknowledge'
}

export interface LeaderFrame {
  readonly partitions: readonly LeaderPartitionFrame[]
}

export interface LeaderPartitionFrame extends PartitionKey {
  readonly leaderEpoch: LeaderEpoch
  /** Protocol error code: FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER, OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_ID … */
  readonly errorCode: number
  /** Where the leader read: the position that `records` continue, or the next one without records. A follower that restarted meanwhile drops frames that do not continue its log. */
  readonly baseOffset: number
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number } | null
  readonly records: readonly Buffer[]
}
