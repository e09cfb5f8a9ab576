/** What the active controller does without being asked, as operations for its queue. */
import type { NodeId } from '@kavka/protocol'
import type { BrokerSessions } from '../metadata/brokers/broker-sessions.ts'
import { fenceBroker } from '../metadata/brokers/broker-turns.ts'
import type { Decision, DecisionContext } from '../metadata/decision.ts'
import { decided } from '../metadata/decision.ts'
import { bootstrapRecords } from '../metadata/features/bootstrap.ts'
import {
  ELECTIONS_PER_PASS_MAX,
  overdueElections,
  preferredElections,
  uncleanElections,
} from '../metadata/partitions/maintenance.ts'
import type { Operation } from './operation.ts'

/** A duty that fails because leadership ended is the next leader's. */
function duty(name: string, decide: (context: DecisionContext) => Decision<unknown>): Operation {
  return { name, assurance: 'lease', decide, completed: () => {}, dropped: () => {} }
}

export function bootstrapDuty(): Operation {
  return duty('bootstrap', (context) => decided(bootstrapRecords(context), null))
}

/** Nothing happens if it registered anew since. */
export function fenceDuty(brokerId: NodeId, brokerEpoch: number, sessions: BrokerSessions): Operation {
  return duty('fence-broker', (context) => {
    const broker = context.image.brokers.get(brokerId)
    if (broker === undefined || broker.epoch !== brokerEpoch || broker.fenced) return decided([], null)
    const records = fenceBroker(context, broker)
    sessions.fencing(brokerId)
    return { records, atomicity: 'any-prefix', respond: () => sessions.ended(brokerId) }
  })
}

/** `again` is called when a full pass left work for another. */
export function preferredElectionDuty(mayHave: (brokerId: NodeId) => boolean, again: () => void): Operation {
  return duty('elect-preferred', (context) => passOf(preferredElections(context, mayHave), again))
}

export function overdueElectionDuty(again: () => void): Operation {
  return duty('elect-overdue', (context) => passOf(overdueElections(context), again))
}

export function uncleanElectionDuty(again: () => void): Operation {
  return duty('elect-unclean', (context) => passOf(uncleanElections(context), again))
}

function passOf(records: ReturnType<typeof uncleanElections>, again: () => void): Decision<unknown> {
  return {
    records,
    respond: () => {
      if (records.length >= ELECTIONS_PER_PASS_MAX) again()
    },
  }
}
