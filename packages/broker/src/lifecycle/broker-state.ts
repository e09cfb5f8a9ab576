/** States of a broker as `kafka_server_kafkaserver_brokerstate` numbers them. */
export type BrokerState = 'not-running' | 'starting' | 'recovery' | 'running' | 'pending-controlled-shutdown' | 'shutting-down'

const numberByState: Readonly<Record<BrokerState, number>> = {
  'not-running': 0,
  starting: 1,
  recovery: 2,
  running: 3,
  'pending-controlled-shutdown': 6,
  'shutting-down': 7,
}

export function brokerStateNumber(state: BrokerState): number {
  return numberByState[state]
}
