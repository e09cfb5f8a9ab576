/** The part of a node that takes part in, or follows, the metadata quorum; with the role controller also the controller itself. */
import { nodeId as brandedNodeId } from '@kavka/protocol'
import type { NodeId } from '@kavka/protocol'
import { MetadataLoader, QuorumController, QuorumDriver } from '@kavka/controller'
import type { LivenessProbe, QuorumDriverOptions, QuorumState, QuorumStateMachine, RoleState } from '@kavka/controller'
import { ControllerChannelClient, ControllerServiceAdapter, GrpcQuorumPeers, plaintext, protobufRecordCodec, TcpLivenessProbe } from '@kavka/transport'
import type { NodeAddress, ServiceProvider } from '@kavka/transport'
import { DamagedStoreError, LevelStore } from '@kavka/storage'
import type { LoggerLevels } from '../configs/logger-levels.ts'
import type { NodeDependencies, NodeSettings } from './node-settings.ts'

/** Inside the metadata directory; the name that Kafka gives its own metadata log. */
const METADATA_FOLDER = '__cluster_metadata-0'

export interface MetadataSide {
  readonly loader: MetadataLoader
  /** Null without the role controller. */
  readonly controller: QuorumController | null
  readonly channel: ControllerChannelClient
  readonly probe: LivenessProbe
  readonly grpcProviders: readonly ServiceProvider[]
  quorumState(): QuorumState
  /** Takes part from here on; what others send before is answered by silence. */
  start(): Promise<void>
  stop(): Promise<void>
}

interface MetadataSideDependencies extends NodeDependencies {
  readonly loggers: LoggerLevels
  /** The node cannot go on. */
  readonly failed: (cause: Error) => void
}

export async function createMetadataSide(settings: NodeSettings, deps: MetadataSideDependencies): Promise<MetadataSide> {
  const { clusterId } = settings
  const { scheduler, loggers } = deps
  const directory = `${settings.layout.metadataDirectory}/${METADATA_FOLDER}`
  deps.fs.makeDirectory(directory)
  const store = await openStore(directory)
  const loader = new MetadataLoader({ codec: protobufRecordCodec, scheduler, log: loggers.get('org.apache.kafka.image.loader.MetadataLoader') })
  const probe = new TcpLivenessProbe({}, { scheduler })
  const stateMachine = heard(loader, (role) => channel.setLeader(role.leaderId))
  const { peers, driver } = createQuorum(settings, deps, { store, probe, stateMachine })
  const controller = createController(settings, deps, { loader, probe, quorum: driver })
  const channelLogger = loggers.get('kafka.server.NodeToControllerChannelManager')
  const channel: ControllerChannelClient = new ControllerChannelClient(
    { clusterId, nodeId: idOf(settings), controllers: votersOf(settings) },
    { scheduler, logger: channelLogger, credentialsOf: plaintext, localService: controller },
  )
  const adapter = controller === null ? [] : [new ControllerServiceAdapter({ clusterId }, { service: controller, logger: channelLogger })]
  return {
    loader,
    controller,
    channel,
    probe,
    grpcProviders: [peers, ...adapter],
    quorumState: () => driver.state,
    start: async () => {
      await driver.start()
      peers.start()
    },
    stop: async () => {
      await driver.stop()
      peers.stop()
      channel.close()
      await store.close()
    },
  }
}

/** A node without its past may break its word (a vote, an acknowledged entry), which the others can bear from a minority only. */
async function openStore(directory: string): Promise<LevelStore> {
  try {
    return await LevelStore.open(directory)
  } catch (error) {
    if (!(error instanceof DamagedStoreError)) throw error
    const advice = `if a majority of the controllers is sound, move ${directory} away and start again: the others have all of it`
    throw new Error(`the metadata log cannot be used (${advice})`, { cause: error })
  }
}

/** The driver of the quorum and the streams to the other voters: each is told by the other. */
function createQuorum(
  settings: NodeSettings,
  { scheduler, random, logger, loggers, failed }: MetadataSideDependencies,
  parts: { readonly store: LevelStore; readonly probe: LivenessProbe; readonly stateMachine: QuorumStateMachine },
): { readonly peers: GrpcQuorumPeers; readonly driver: QuorumDriver } {
  const { store, probe, stateMachine } = parts
  const peers: GrpcQuorumPeers = new GrpcQuorumPeers(
    { clusterId: settings.clusterId, nodeId: idOf(settings), voters: votersOf(settings) },
    { scheduler, logger: loggers.get('org.apache.kafka.raft.KafkaRaftClient'), probe, credentialsOf: plaintext },
    {
      receive: (message) => driver.receive(message),
      peerReachable: (peer) => driver.peerReachable(peer),
      peerUnreachable: (peer) => driver.peerUnreachable(peer),
    },
  )
  const onFatal = (cause: unknown): void => failed(asError(cause))
  const driver: QuorumDriver = new QuorumDriver(raftOptions(settings), { store, peers, scheduler, random, stateMachine, logger, onFatal })
  return { peers, driver }
}

/** Null without the role controller. */
function createController(
  settings: NodeSettings,
  { scheduler, random, loggers }: MetadataSideDependencies,
  parts: { readonly quorum: QuorumDriver; readonly loader: MetadataLoader; readonly probe: LivenessProbe },
): QuorumController | null {
  const { config, layout, clusterId } = settings
  if (!layout.isController) return null
  const log = loggers.get('org.apache.kafka.controller.QuorumController')
  return new QuorumController({ clusterId, nodeId: idOf(settings), config }, { ...parts, codec: protobufRecordCodec, scheduler, random, log })
}

function idOf({ config }: NodeSettings): NodeId {
  return brandedNodeId(config.nodeId)
}

function votersOf({ layout }: NodeSettings): ReadonlyMap<NodeId, NodeAddress> {
  return new Map(layout.voters.map((voter) => [brandedNodeId(voter.nodeId), voter]))
}

function raftOptions({ config, layout, clusterId }: NodeSettings): QuorumDriverOptions {
  return {
    nodeId: brandedNodeId(config.nodeId),
    clusterId,
    voterIds: layout.voters.map((voter) => brandedNodeId(voter.nodeId)),
    electionTimeoutMs: config.controllerQuorumElectionTimeoutMs,
    electionBackoffMsMax: config.controllerQuorumElectionBackoffMaxMs,
    fetchTimeoutMs: config.controllerQuorumFetchTimeoutMs,
    fetchBytesMax: config.controllerQuorumFetchMaxBytes,
    snapshotPieceBytesMax: config.controllerQuorumFetchSnapshotMaxBytes,
    snapshotAfterBytes: config.metadataLogMaxRecordBytesBetweenSnapshots,
    snapshotAfterMs: config.metadataLogMaxSnapshotIntervalMs,
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause))
}

/** Passes everything on to the loader and tells who else must know when the leader changes. */
function heard(loader: MetadataLoader, onRole: (role: RoleState) => void): QuorumStateMachine {
  return {
    onCommitted: (entries) => loader.onCommitted(entries),
    onSnapshot: (bytes, offset, epoch) => loader.onSnapshot(bytes, offset, epoch),
    snapshotState: () => loader.snapshotState(),
    onRoleChange: (role) => {
      loader.onRoleChange(role)
      onRole(role)
    },
  }
}
