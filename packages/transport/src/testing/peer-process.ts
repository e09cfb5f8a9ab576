/** A voter in a process of its own, for tests that kill it: `node --conditions=@kavka/source peer-process.ts <port>`. Prints its port, answers vote requests. */
import { silentLogger, systemScheduler } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import { plaintext } from '../grpc-client.ts'
import { GrpcEndpoint } from '../grpc-endpoint.ts'
import { TcpLivenessProbe } from '../liveness-probe.ts'
import { GrpcQuorumPeers } from '../quorum/grpc-quorum-peers.ts'
import { listenOnLoopback } from './loopback-listener.ts'

const voterId = 1 as NodeId
const probe = new TcpLivenessProbe({}, { scheduler: systemScheduler })
const peers: GrpcQuorumPeers = new GrpcQuorumPeers(
  { clusterId: 'cluster', nodeId: voterId, voters: new Map() },
  { scheduler: systemScheduler, logger: silentLogger, probe, credentialsOf: plaintext },
  {
    receive: ({ clusterId, from, epoch }) =>
      peers.send(from, { clusterId, from: voterId, to: from, epoch, kind: 'vote-response', phase: 'vote', granted: true, leaderId: null }),
    peerReachable: () => {},
    peerUnreachable: () => {},
  },
)
const endpoint = new GrpcEndpoint({ providers: [peers] })
const listener = await listenOnLoopback({ allowed: 'controller', port: Number(process.argv[2] ?? 0) }, endpoint)
process.stdout.write(`${listener.port}\n`)
