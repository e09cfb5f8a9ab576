/**
 * DescribeCluster 0–2.
 * Behavior: brokers on broker listeners, controllers on controller listeners; asking for the other kind is MISMATCHED_ENDPOINT_TYPE (KIP-919).
 * Versions: v1 names the kind; v2 may include fenced brokers (KIP-1073).
 */
import type { BrokerRegistration, Endpoint } from '@kavka/controller'
import { ApiKey, ErrorCode } from '@kavka/protocol'
import type { DescribeClusterRequest, DescribeClusterResponse, Encodable, NodeId } from '@kavka/protocol'
import { CLUSTER_RESOURCE } from '../../security/authorizer.ts'
import { authorizedOperations, CLUSTER_OPERATIONS } from '../authorized-operations.ts'
import { endpointOn } from '../cluster-view.ts'
import type { ApiHandler, RequestContext } from '../handler.ts'
import type { NodeServices } from '../services.ts'

const ENDPOINT_BROKER = 1
const ENDPOINT_CONTROLLER = 2

type Node = Encodable<DescribeClusterResponse['brokers'][number]>

export const describeClusterHandler: ApiHandler<DescribeClusterRequest, DescribeClusterResponse, NodeServices> = {
  apiKey: ApiKey.DescribeCluster,
  versions: [0, 2],
  handle(request, context, services) {
    // v0 does not name a kind: it means the one of the listener.
    const own = context.listenerRole === 'broker' ? ENDPOINT_BROKER : ENDPOINT_CONTROLLER
    const asked = context.apiVersion === 0 ? own : request.endpointType
    const refusal = refusalOf(asked, own)
    if (refusal !== null) return { kind: 'response', body: refusal }
    const nodes = own === ENDPOINT_BROKER ? brokers(request, context, services) : controllers(context, services)
    return {
      kind: 'response',
      body: {
        endpointType: own,
        clusterId: services.clusterId,
        controllerId: own === ENDPOINT_BROKER ? randomOf(nodes, services) : (services.controller.activeControllerId() ?? -1),
        brokers: nodes,
        ...operations(request, context, services),
      },
    }
  },
}

function refusalOf(asked: number, own: number): Encodable<DescribeClusterResponse> | null {
  if (asked === own) return null
  if (asked !== ENDPOINT_BROKER && asked !== ENDPOINT_CONTROLLER) {
    return { errorCode: ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, errorMessage: `Unknown endpoint type ${asked}`, clusterId: '' }
  }
  const [here, there] = own === ENDPOINT_BROKER ? ['BROKER', 'CONTROLLER'] : ['CONTROLLER', 'BROKER']
  const errorMessage = `This is an endpoint of type ${here}; the request is for one of type ${there}`
  return { errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE, errorMessage, clusterId: '' }
}

function brokers(request: DescribeClusterRequest, context: RequestContext, services: NodeServices): Node[] {
  const shown: Node[] = []
  const registered = [...services.image().brokers.values()].toSorted((one, other) => one.id - other.id)
  for (const broker of registered) {
    if (broker.fenced && !request.includeFencedBrokers) continue
    const node = nodeOf(broker, endpointOn(broker, context.listener))
    if (node !== null) shown.push(node)
  }
  return shown
}

function nodeOf(broker: BrokerRegistration, endpoint: Endpoint | null): Node | null {
  if (endpoint === null) return null
  return { brokerId: broker.id, host: endpoint.host, port: endpoint.port, rack: broker.rack, isFenced: broker.fenced }
}

/** What controllers registered; before that, where the voter list says they are. */
function controllers(context: RequestContext, services: NodeServices): Node[] {
  return services.voters.map((voter) => {
    const registered = services.image().controllers.get(voter.nodeId as NodeId)
    const endpoint = registered?.endpoints.find(({ listener }) => listener === context.listener) ?? voter
    return { brokerId: voter.nodeId, host: endpoint.host, port: endpoint.port }
  })
}

function randomOf(nodes: readonly Node[], services: NodeServices): number {
  return nodes.length === 0 ? -1 : nodes[services.random.below(nodes.length)]!.brokerId!
}

function operations(
  request: DescribeClusterRequest,
  context: RequestContext,
  { authorizer }: NodeServices,
): Encodable<DescribeClusterResponse> {
  if (!request.includeClusterAuthorizedOperations) return {}
  return { clusterAuthorizedOperations: authorizedOperations(authorizer, context, CLUSTER_RESOURCE, CLUSTER_OPERATIONS) }
}
