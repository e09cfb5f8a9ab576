import { int, list, long, optionalInt, optionalString, string } from './config-key.ts'

/** Listeners, sockets and connections. */
export const networkKeys = {
  listeners: list('listeners', {
    default: ['PLAINTEXT://:9092'], importance: 'HIGH', scope: 'per-broker', nonEmpty: true,
    doc: 'Addresses this node binds, NAME://HOST:PORT. An empty host or 0.0.0.0 binds every interface; port 0 takes a free one.',
  }),
  advertisedListeners: list('advertised.listeners', {
    default: [], importance: 'HIGH',
    doc: 'Addresses that clients and other brokers are told to use, if they differ from listeners. Never 0.0.0.0.',
  }),
  listenerSecurityProtocolMap: string('listener.security.protocol.map', {
    default: 'SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL',
    doc: 'Security protocol of each listener name. A controller listener that is not named here is PLAINTEXT.',
  }),
  interBrokerListenerName: optionalString('inter.broker.listener.name', {
    default: null, doc: 'Listener that carries replication. Default: the listener named after security.inter.broker.protocol.',
  }),
  securityInterBrokerProtocol: string('security.inter.broker.protocol', {
    default: 'PLAINTEXT', doc: 'Security protocol between brokers, when inter.broker.listener.name is not set.',
  }),
  controllerListenerNames: list('controller.listener.names', {
    default: ['CONTROLLER'], importance: 'HIGH', nonEmpty: true,
    doc: 'Listener names of the controllers; brokers use the first one to reach them.',
  }),
  socketSendBufferBytes: int('socket.send.buffer.bytes', {
    default: 102400, min: -1, importance: 'HIGH', doc: 'SO_SNDBUF of client connections; -1 leaves the system default.',
  }),
  socketReceiveBufferBytes: int('socket.receive.buffer.bytes', {
    default: 102400, min: -1, importance: 'HIGH', doc: 'SO_RCVBUF of client connections; -1 leaves the system default.',
  }),
  socketRequestMaxBytes: int('socket.request.max.bytes', {
    default: 104857600, min: 1, importance: 'HIGH', doc: 'Largest request accepted; a larger one closes the connection.',
  }),
  socketListenBacklogSize: int('socket.listen.backlog.size', {
    default: 50, min: 1, doc: 'Connections that wait to be accepted.',
  }),
  maxConnections: int('max.connections', {
    default: 2 ** 31 - 1, min: 0, scope: 'cluster-wide', doc: 'Most client connections of this node.',
  }),
  maxConnectionsPerIp: int('max.connections.per.ip', {
    default: 2 ** 31 - 1, min: 0, scope: 'cluster-wide', doc: 'Most client connections from one address.',
  }),
  maxConnectionsPerIpOverrides: string('max.connections.per.ip.overrides', {
    default: '', scope: 'cluster-wide', doc: 'Exceptions to max.connections.per.ip, HOST:COUNT,…',
  }),
  connectionsMaxIdleMs: long('connections.max.idle.ms', {
    default: 600000, doc: 'A connection without a request for this long is closed; negative never closes.',
  }),
  queuedMaxRequests: int('queued.max.requests', {
    default: 500, min: 1, importance: 'HIGH', doc: 'Requests in work before sockets are no longer read.',
  }),
  requestTimeoutMs: int('request.timeout.ms', {
    default: 30000, min: 1, importance: 'HIGH', doc: 'How long a broker waits for an answer of another node.',
  }),
  kavkaHttpPort: optionalInt('kavka.http.port', {
    default: null, min: 0, max: 65535, doc: 'Port of metrics and health over HTTP. Default: the port of the first listener minus 1000; 0 takes a free one.',
  }),
  kavkaHttpHost: optionalString('kavka.http.host', {
    default: null, doc: 'Address that the HTTP port binds. Default: the host of the first listener.',
  }),
} as const
