/** A node's part in the quorum with somebody looking on: what it stores, applies and answers is told to the checkers. */
import type { KeyValueStore, KeyValueWrite } from '@kavka/kernel'
import type { ControllerReply, ControllerRequest, ControllerService, Entry, MetadataChanges, MetadataImage, QuorumStateMachine, RaftMessage, RoleState } from '@kavka/controller'
import type { LeaderEpoch, Offset } from '@kavka/protocol'
import type { SimulatedNode } from './simulated-node.ts'

/** What the checkers hear of one node's part in the quorum. */
export interface QuorumObserver {
  /** The controller of that node is asked; the result is to be called with its reply. */
  asked(node: SimulatedNode, request: ControllerRequest): (reply: ControllerReply) => void
  /** On the disk, and nobody has acted on it yet. */
  stored(node: SimulatedNode, writes: readonly KeyValueWrite[]): void
  sending(node: SimulatedNode, message: RaftMessage): void
  committed(node: SimulatedNode, entries: readonly Entry[]): void
  snapshotLoaded(node: SimulatedNode, offset: Offset, epoch: LeaderEpoch): void
  role(node: SimulatedNode, role: RoleState): void
  imageAdvanced(node: SimulatedNode, image: MetadataImage): void
  /** The broker is about to act on it. */
  publishing(node: SimulatedNode, changes: MetadataChanges): void
}

export function observedStore(node: SimulatedNode, observer: QuorumObserver): KeyValueStore {
  const { store } = node
  return {
    get: (key) => store.get(key),
    range: (from, to) => store.range(from, to),
    write: async (writes) => {
      await store.write(writes)
      observer.stored(node, writes)
    },
    close: () => store.close(),
  }
}

export function observedService(node: SimulatedNode, controller: ControllerService, observer: QuorumObserver): ControllerService {
  return {
    handle: async (request) => {
      const judge = observer.asked(node, request)
      const reply = await controller.handle(request)
      if (node.process.isAlive) judge(reply)
      return reply
    },
    sessionOpened: (brokerId, brokerEpoch) => controller.sessionOpened(brokerId, brokerEpoch),
    sessionLost: (brokerId, brokerEpoch) => controller.sessionLost(brokerId, brokerEpoch),
  }
}

/** The loader, and the channel that learns of leaders from it. */
export function observedStateMachine(node: SimulatedNode, observer: QuorumObserver): QuorumStateMachine {
  const { loader } = node
  return {
    onCommitted: (entries) => {
      observer.committed(node, entries)
      loader.onCommitted(entries)
      observer.imageAdvanced(node, loader.image)
    },
    onSnapshot: (bytes, offset, epoch) => {
      observer.snapshotLoaded(node, offset, epoch)
      loader.onSnapshot(bytes, offset, epoch)
      observer.imageAdvanced(node, loader.image)
    },
    snapshotState: () => loader.snapshotState(),
    onRoleChange: (role) => {
      observer.role(node, role)
      loader.onRoleChange(role)
      node.channel.setLeader(role.leaderId)
    },
  }
}
