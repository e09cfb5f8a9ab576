import type { ConfigValues } from './config-table.ts'
import { controllerKeys } from './controller-keys.ts'
import { groupKeys } from './group-keys.ts'
import { logKeys } from './log-keys.ts'
import { networkKeys } from './network-keys.ts'
import { replicationKeys } from './replication-keys.ts'

/** Every key of `server.properties` that Kavka obeys. */
export const brokerConfigKeys = { ...controllerKeys, ...networkKeys, ...logKeys, ...replicationKeys, ...groupKeys }

/** The values of those keys on one node, as loaded. */
export type BrokerConfig = ConfigValues<typeof brokerConfigKeys>
