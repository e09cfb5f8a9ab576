/** A broker comes or goes: its registration and all partitions that depend on it, in one atomic batch. */
import type { Uuid } from '@kavka/protocol'
import type { DecisionContext } from '../decision.ts'
import { directoryOf } from '../directories.ts'
import type { BrokerRegistration } from '../image.ts'
import type { LocatedPartition } from '../partition-index.ts'
import { partitionsIn, partitionsOn } from '../partition-index.ts'
import { changesForBroker } from '../partitions/partition-changes.ts'
import type { MetadataRecord } from '../records.ts'
import { brokerChange } from '../records.ts'

/**
 * Out of every in-sync set and leading nothing; safe at any time, since new leader epochs fence the old
 * leader.
 */
export function fenceBroker(context: DecisionContext, broker: BrokerRegistration): MetadataRecord[] {
  const fenced = broker.fenced ? [] : [brokerChange(broker, { fenced: true })]
  return [...leavePartitions(context, broker), ...fenced]
}

/** Leadership and in-sync places go to others while the broker still serves what has not moved yet. */
export function startControlledShutdown(
  context: DecisionContext,
  broker: BrokerRegistration,
): MetadataRecord[] {
  const marked = broker.inControlledShutdown ? [] : [brokerChange(broker, { inControlledShutdown: true })]
  return [...leavePartitions(context, broker), ...marked]
}

/** The broker may lead again: partitions that waited for it get their leader. */
export function unfenceBroker(context: DecisionContext, broker: BrokerRegistration): MetadataRecord[] {
  const waiting = leaderlessPartitionsOn(context, broker)
  return [
    brokerChange(broker, { fenced: false }),
    ...changesForBroker(context, waiting, { brokerId: broker.id, turn: 'returns' }),
  ]
}

/**
 * The process before this one ended without a clean shutdown: what it acknowledged may be gone (KIP-966
 * "unclean shutdown").
 */
export function excludeAfterUncleanStop(
  context: DecisionContext,
  broker: BrokerRegistration,
): MetadataRecord[] {
  const trusted = filtered(partitionsOn(context.image, broker.id), ({ registration }) => {
    return registration.isr.includes(broker.id) || registration.elr.includes(broker.id)
  })
  return changesForBroker(context, trusted, { brokerId: broker.id, turn: 'stopped-uncleanly' })
}

/**
 * A directory of the broker failed (KIP-858): its replicas leave like those of a broker that is fenced, the others stay. They remain
 * eligible where they were: a disk that comes back has what it had.
 */
export function loseDirectory(
  context: DecisionContext,
  broker: BrokerRegistration,
  directory: Uuid,
): MetadataRecord[] {
  const inSync = filtered(partitionsOn(context.image, broker.id), ({ registration }) => {
    return registration.isr.includes(broker.id) && directoryOf(registration, broker.id) === directory
  })
  return changesForBroker(context, inSync, { brokerId: broker.id, turn: 'leaves' })
}

function leavePartitions(context: DecisionContext, broker: BrokerRegistration): MetadataRecord[] {
  const inSync = filtered(partitionsOn(context.image, broker.id), ({ registration }) =>
    registration.isr.includes(broker.id),
  )
  return changesForBroker(context, inSync, { brokerId: broker.id, turn: 'leaves' })
}

function leaderlessPartitionsOn(
  { image }: DecisionContext,
  broker: BrokerRegistration,
): Iterable<LocatedPartition> {
  return filtered(partitionsIn(image, image.index.leaderless), ({ registration }) =>
    registration.replicas.includes(broker.id),
  )
}

function* filtered<T>(items: Iterable<T>, keep: (item: T) => boolean): Generator<T> {
  for (const item of items) if (keep(item)) yield item
}
