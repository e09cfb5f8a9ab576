import type { Server, ServerDuplexStream } from '@grpc/grpc-js'
import { status } from '@grpc/grpc-js'
import type { Logger, Scheduler } from '@kavka/kernel'
import { assert } from '@kavka/kernel'
import type { NodeId } from '@kavka/protocol'
import type {
  FollowerHello, FollowerStream, FollowerStreamEvents, LeaderStream, LeaderStreamEvents, ReplicationTransport,
} from '@kavka/replication'
import type { CallerIdentity } from '../call-headers.ts'
import type { CredentialsOf } from '../grpc-client.ts'
import type { NodeAddress } from '../node-address.ts'
import { admit, crashOnBug, refuse } from '../service-provider.ts'
import type { ServiceProvider } from '../service-provider.ts'
import type { OutgoingFrame } from './fetch-call.ts'
import { replicationServiceDefinition } from './fetch-call.ts'
import { openFollowerStream } from './follower-stream.ts'
import { GrpcLeaderStream } from './leader-stream.ts'

export interface GrpcReplicationTransportOptions {
  readonly clusterId: string
  readonly nodeId: NodeId
}

export interface GrpcReplicationTransportDeps {
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly credentialsOf: CredentialsOf
}

type AcceptFollower = (hello: FollowerHello, stream: LeaderStream) => LeaderStreamEvents

/** Replication streams over gRPC: one connection for each follower and leader. */
export class GrpcReplicationTransport implements ReplicationTransport, ServiceProvider {
  readonly group = 'replication'
  readonly #options: GrpcReplicationTransportOptions
  readonly #deps: GrpcReplicationTransportDeps
  #acceptFollower: AcceptFollower | null = null

  constructor(options: GrpcReplicationTransportOptions, deps: GrpcReplicationTransportDeps) {
    this.#options = options
    this.#deps = deps
  }

  openStream(leader: NodeAddress & { readonly id: NodeId }, hello: FollowerHello, events: FollowerStreamEvents): FollowerStream {
    assert(leader.id === hello.leaderId, 'a stream to another leader than greeted', { leader: leader.id, hello: hello.leaderId })
    return openFollowerStream(leader, hello, this.#deps, events)
  }

  onFollower(accept: AcceptFollower): void {
    assert(this.#acceptFollower === null, 'followers are accepted by one replica manager')
    this.#acceptFollower = accept
  }

  addTo(server: Server): void {
    server.addService(replicationServiceDefinition, {
      fetch: (call: ServerDuplexStream<Buffer, OutgoingFrame>) => crashOnBug(() => this.#opened(call)),
    })
  }

  #opened(call: ServerDuplexStream<Buffer, OutgoingFrame>): void {
    const admission = admit(call.metadata, this.#options.clusterId)
    if (!admission.ok) return refuse(call, admission.error, this.#deps.logger)
    const hello = helloOf(admission.value)
    if (hello.leaderId !== this.#options.nodeId) {
      const details = `this is node ${this.#options.nodeId}, not ${hello.leaderId}`
      return refuse(call, { code: status.FAILED_PRECONDITION, details }, this.#deps.logger)
    }
    const accept = this.#acceptFollower
    if (accept === null) return refuse(call, { code: status.UNAVAILABLE, details: 'not started yet' }, this.#deps.logger)
    const stream = new GrpcLeaderStream(call, this.#deps)
    stream.start(accept(hello, stream))
  }
}

function helloOf({ clusterId, nodeId, brokerEpoch, leaderId }: CallerIdentity): FollowerHello {
  return { clusterId, followerId: nodeId, followerBrokerEpoch: brokerEpoch, leaderId: leaderId as NodeId }
}
