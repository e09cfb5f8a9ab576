/** Rare paths that a good run reaches; one that nobody reached means that the simulation has gone blind there. */
export const probeNames = [
  'process killed', 'power lost', 'crash inside a disk operation', 'process paused', 'clean restart', 'clock jumped', 'disk wiped',
  'write error', 'sync error', 'disk full', 'bit flipped', 'metadata store write lost', 'node stopped itself',
  'link cut one way', 'majority split', 'node isolated', 'leader replaced in silence', 'leader back without its metadata', 'coordinator replaced by one that lacks the others', 'link clogged', 'stream reset', 'raft message dropped', 'raft message duplicated',
  'raft election', 'raft leader deposed', 'raft snapshot loaded', 'controller failed over', 'broker fenced', 'broker registered again',
  'partition leader changed', 'partition without leader', 'isr shrunk', 'isr expanded', 'elr not empty', 'follower truncated',
  'follower started over', 'log recovered after a crash', 'unsynced tail lost',
  'produce out of time', 'produce refused: not leader', 'produce refused: not enough replicas', 'duplicate batch answered',
  'batch retried', 'out of order sequence', 'offset not available', 'topic deleted', 'topic created again', 'partitions added',
  'config changed', 'reassignment begun', 'reassignment canceled', 'reassignment refused', 'reassignment completed', 'preferred election', 'election of who is not in sync asked for', 'records deleted', 'log start moved', 'segment rolled', 'group rebalanced',
  'group coordinator moved', 'group member died', 'group member left', 'stale generation refused', 'late commit of an older generation refused', 'offset commit out of time',
  'commit read back', 'minority of voters down after healing', 'whole cluster down at once', 'corruption found', 'node refused damaged data',
  'offset expired', 'group erased', 'producer epoch bumped', 'old producer epoch refused', 'share revoked cooperatively', 'static member replaced', 'commit of a replaced member refused',
  'damaged log filled again', 'unclean restart registered', 'proposal with a stale broker epoch',
  'proposal with a stale partition epoch', 'synced writes lost', 'stale sector', 'misdirected write', 'read error', 'metadata store damaged', 'damaged metadata store refused',
  'disk slow for seconds', 'clock at another rate', 'file beside the log damaged',
  'batch rotted under a running node', 'rot before an election', 'rotten replica emptied', 'old segments deleted', 'log start written down',
  'process died behind its clean stop', 'successor lacks the tail of a follower', 'several batches cut', 'cut behind a moved log start',
  'leader hears late of its election', 'follower sent what it has',
  'topic created again while a replica was down', 'topic deleted in a turn that wrote to it', 'topic deleted under a read', 'topic created again at once',
] as const

export type ProbeName = (typeof probeNames)[number]

export class Probes {
  readonly #counts = new Map<ProbeName, number>()

  hit(name: ProbeName): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  get counts(): ReadonlyMap<ProbeName, number> {
    return this.#counts
  }
}
