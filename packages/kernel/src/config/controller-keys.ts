import { int, list, long, optionalInt, optionalString } from './config-key.ts'

/** Who this node is, the quorum, and the life of a broker. */
export const controllerKeys = {
  processRoles: list('process.roles', { of: ['broker', 'controller'], importance: 'HIGH', nonEmpty: true, doc: 'What this node is: broker, controller or both.' }),
  nodeId: int('node.id', { min: 0, importance: 'HIGH', doc: 'Number of this node, unique in the cluster.' }),
  brokerId: optionalInt('broker.id', { default: null, min: -1, importance: 'HIGH', doc: 'Older name of node.id; must equal it when both are set.' }),
  brokerRack: optionalString('broker.rack', { default: null, doc: 'Where the broker stands; replicas of a partition are spread over racks.' }),
  kavkaClusterId: optionalString('kavka.cluster.id', { default: null, doc: 'Id of the cluster, 22 characters. Default: CLUSTER_ID of the environment, else derived from controller.quorum.voters.' }),
  controllerQuorumVoters: list('controller.quorum.voters', { default: [], importance: 'HIGH', doc: 'The controllers, ID@HOST:PORT,…; the same list on every node.' }),
  controllerQuorumBootstrapServers: list('controller.quorum.bootstrap.servers', { default: [], importance: 'HIGH', doc: 'Not used while controller.quorum.voters names the controllers.' }),
  controllerQuorumElectionTimeoutMs: int('controller.quorum.election.timeout.ms', { default: 1000, min: 1, importance: 'HIGH', doc: 'Longest wait of a candidate before it tries again.' }),
  controllerQuorumFetchTimeoutMs: int('controller.quorum.fetch.timeout.ms', { default: 2000, min: 1, importance: 'HIGH', doc: 'Silence after which a follower looks for a new leader, and a leader without a majority resigns.' }),
  controllerQuorumElectionBackoffMaxMs: int('controller.quorum.election.backoff.max.ms', { default: 1000, min: 0, importance: 'HIGH', doc: 'Longest pause between elections.' }),
  controllerQuorumRequestTimeoutMs: int('controller.quorum.request.timeout.ms', { default: 2000, min: 1, doc: 'Longest wait for another controller.' }),
  controllerQuorumFetchMaxBytes: int('controller.quorum.fetch.max.bytes', { default: 1048576, min: 1, importance: 'LOW', doc: 'Bytes of metadata records in one answer.' }),
  controllerQuorumFetchSnapshotMaxBytes: int('controller.quorum.fetch.snapshot.max.bytes', { default: 1048576, min: 1, importance: 'LOW', doc: 'Bytes of a metadata snapshot in one answer.' }),
  metadataLogMaxRecordBytesBetweenSnapshots: long('metadata.log.max.record.bytes.between.snapshots', { default: 20971520, min: 1, importance: 'HIGH', doc: 'Metadata records after which a snapshot is taken.' }),
  metadataLogMaxSnapshotIntervalMs: long('metadata.log.max.snapshot.interval.ms', { default: 3600000, min: 0, importance: 'HIGH', doc: 'Time after which a snapshot is taken; 0 never by time.' }),
  brokerHeartbeatIntervalMs: int('broker.heartbeat.interval.ms', { default: 2000, min: 1, doc: 'How often a broker reports to the controller.' }),
  brokerSessionTimeoutMs: int('broker.session.timeout.ms', { default: 9000, min: 1, doc: 'Silence after which a broker is fenced. A dead process is noticed at once, by its refused connection.' }),
  initialBrokerRegistrationTimeoutMs: int('initial.broker.registration.timeout.ms', { default: 60000, min: 1, doc: 'A broker that cannot register for this long stops.' }),
} as const
