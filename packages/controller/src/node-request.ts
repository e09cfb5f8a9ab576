import type { NodeId } from '@kavka/protocol'
import type { ControllerRequest } from './ports.ts'

/** What a node asks of the active controller in its own name, for no client: its registration, what it knows of its replicas, blocks of ids. */
export function nodeRequest(nodeId: NodeId, message: Pick<ControllerRequest, 'apiKey' | 'apiVersion' | 'body'>): ControllerRequest {
  return { ...message, principal: 'User:kavka', clientId: `node-${nodeId}`, clientHost: '', listener: '' }
}
