/** A node of the cluster: listeners, handlers, coordinators, metrics, and how they are put together. */
export { startNode } from './start-node.ts'
export type { NodeDependencies, NodeSettings, RunningNode } from './node/node-settings.ts'
/** Parts of a node, for whoever puts one together on other ports: the simulation does, on a virtual clock, network and disk. */
export { DynamicConfig } from './configs/dynamic-config.ts'
export { LogBackedGroupCoordinator } from './groups/group-coordinator.ts'
export type { GroupCoordinator } from './groups/group-coordinator-api.ts'
export { BrokerLifecycle } from './lifecycle/broker-lifecycle.ts'
export { ControllerRegistrar } from './lifecycle/controller-registration.ts'
export { brokerRegistration, controllerRegistration, newIncarnationId } from './lifecycle/registrations.ts'
export { RegistrationGate } from './node/registration-gate.ts'
export { ProducerIdManager } from './producer-ids/producer-ids.ts'
