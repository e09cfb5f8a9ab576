/** Planted bugs: brokers and partitions in the metadata. */
import type { Mutant } from './mutant.ts'

const metadata = 'packages/controller/src/metadata'

export const metadataMutants: readonly Mutant[] = [
  { name: 'no leader epoch for a new leader', file: `${metadata}/topics/topics-delta.ts`, find: 'before.leaderEpoch + (elects ? 1 : 0)', replace: 'before.leaderEpoch + (elects ? 0 : 0)' },
  { name: 'partition epoch stands still', file: `${metadata}/topics/topics-delta.ts`, find: '(before.partitionEpoch + 1) as PartitionEpoch', replace: 'before.partitionEpoch' },
  { name: 'alter partition of an older partition epoch', file: `${metadata}/partitions/alter-partition.ts`, find: '  if (proposal.partitionEpoch < partitionEpoch) return ErrorCode.INVALID_UPDATE_VERSION\n', replace: '' },
  { name: 'alter partition of a broker that registered anew', file: `${metadata}/partitions/alter-partition.ts`, find: 'return brokerEpoch === EPOCH_UNKNOWN || image.brokers.get(brokerId)!.epoch === brokerEpoch', replace: 'return brokerEpoch >= EPOCH_UNKNOWN' },
  { name: 'alter partition with a fenced member', file: `${metadata}/partitions/alter-partition.ts`, find: '  if (!canServe(image, partition, brokerId)) return false\n', replace: '' },
  { name: 'a leader outside the in-sync set', file: `${metadata}/partitions/election.ts`, find: 'return isComplete && canServe(decision, replica)', replace: 'return canServe(decision, replica)' },
  { name: 'an unclean stop is taken for a clean one', file: `${metadata}/brokers/register-broker.ts`, find: 'request.previousBrokerEpoch !== existing.epoch', replace: 'request.previousBrokerEpoch > existing.epoch' },
  { name: 'who stopped uncleanly stays eligible', file: `${metadata}/partitions/election.ts`, find: ' && replica !== elr.distrusted', replace: '' },
  { name: 'a fenced broker keeps its partitions', file: `${metadata}/brokers/broker-turns.ts`, find: 'return [...leavePartitions(context, broker), ...fenced]', replace: 'return fenced' },
  { name: 'a new registration keeps the broker epoch', file: `${metadata}/brokers/register-broker.ts`, find: 'registrationOf(request, endpoints, again)]', replace: "{ ...registrationOf(request, endpoints, again), brokerEpoch: existing?.epoch ?? 'offset-of-batch' }]" },
  {
    name: 'who stopped uncleanly is only fenced', proves: 'C7 UncleanExclusion', file: `${metadata}/brokers/register-broker.ts`,
    find: '  if (!unclean) return fenceBroker(context, existing)\n', replace: '  if (!unclean || existing.epoch >= 0) return fenceBroker(context, existing)\n',
  },
  {
    name: 'a preferred leader is elected though it is not in sync', takes: 'elect-who-is-behind', file: `${metadata}/partitions/election.ts`,
    find: "if (election === 'preferred' && mayLead(decision, isr, elr, preferred))", replace: "if (election === 'preferred' && decision.isActive(preferred))",
  },
  {
    // Looked at twice: before the election and after it.
    name: 'who was eligible stays so when enough are in sync again', file: `${metadata}/partitions/election.ts`,
    find: '  if (isr.length >= Math.min(elr.minIsr, partition.replicas.length)) return []\n', replace: '',
    also: [{
      file: `${metadata}/partitions/election.ts`,
      find: '  if (elr !== null && isr.length >= Math.min(elr.minIsr, partition.replicas.length)) return []\n', replace: '',
    }],
  },
  {
    name: 'a reassignment is over before those who join are in sync', takes: 'reassign', file: `${metadata}/partitions/election.ts`,
    find: 'const isComplete = remaining.length > 0 && adding.every((id) => remaining.includes(id))', replace: 'const isComplete = remaining.length > 0',
  },
  {
    name: 'a second reassignment starts from what the first had added', proves: 'P18 ArrivesWhereSent', takes: 'reassign', file: `${metadata}/partitions/alter-reassignments.ts`,
    find: '  return replicas.filter((id) => !addingReplicas.includes(id))\n', replace: '  return replicas.filter((id) => !addingReplicas.includes(id) || id > 0)\n',
  },
  {
    name: 'a reassignment is canceled though only those who joined are in sync', takes: 'steal-from-originals', file: `${metadata}/partitions/alter-reassignments.ts`,
    find: '  if (losesAll && !allowsUncleanElection(', replace: '  if (losesAll && registration.replicas.length === 0 && !allowsUncleanElection(',
  },
  {
    name: 'who was cut off is counted in before it knows that it was replaced', proves: 'G3 CommittedOffset', takes: 'replaced-in-silence', file: `${metadata}/brokers/heartbeat.ts`,
    find: '(!fenced || currentMetadataOffset >= sessions.fencedAt(id))', replace: '(!fenced || sessions.fencedAt(id) > -2)',
  },
]
