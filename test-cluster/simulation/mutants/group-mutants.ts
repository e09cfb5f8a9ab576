/** Planted bugs: groups and their offsets. */
import type { Mutant } from './mutant.ts'

const broker = 'packages/broker/src'

export const groupMutants: readonly Mutant[] = [
  { name: 'offsets are answered before they are replicated', file: `${broker}/coordinators/append-pipeline.ts`, find: '      acks: -1,', replace: '      acks: 0,' },
  { name: 'a commit of an older generation is taken', file: `${broker}/groups/core/offset-validation.ts`, find: '  if (generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION\n', replace: '' },
  { name: 'a rebalance keeps the generation', file: `${broker}/groups/core/classic-group.ts`, find: 'this.generationId++', replace: 'this.generationId = Math.max(1, this.generationId)' },
  {
    name: 'offsets expire at once', proves: 'G4 OffsetsOutliveRetention', file: `${broker}/groups/core/offset-expiry.ts`,
    find: 'return wallMs - start >= retentionMs', replace: 'return wallMs - start >= retentionMs / 100',
  },
  {
    name: 'offsets of a group with members expire', proves: 'G4 OffsetsOutliveRetention', file: `${broker}/groups/core/offset-expiry.ts`,
    find: "  return known && group.state.kind === 'Stable' ? committed.commitTimestampMs : null\n", replace: '  return known ? committed.commitTimestampMs : committed.commitTimestampMs + 1\n',
    // Topics that a member reads are looked at before.
    also: [{
      file: `${broker}/groups/core/offset-expiry.ts`,
      find: "    if (group.state.kind !== 'Empty' && group.isSubscribedTo(topic)) continue\n", replace: '',
    }],
  },
  {
    name: 'a coordinator reads only half of its log', file: `${broker}/coordinators/partition-loader.ts`,
    find: '  let position = view.log.logStartOffset\n', replace: '  let position = ((view.log.logStartOffset + end) >> 1) as Offset\n',
  },
  {
    name: 'a coordinator answers from what is not committed', proves: 'G3 CommittedOffset', takes: 'lost-by-successor', file: `${broker}/coordinators/partition-loader.ts`,
    find: '  while (view.highWatermark < end) {\n', replace: '  while (view.highWatermark < 0) {\n',
  },
  {
    name: 'a coordinator that was replaced tells what it knew', proves: 'G3 CommittedOffset', takes: 'replaced-in-silence', file: `${broker}/groups/group-coordinator.ts`,
    find: '    if (this.#dependencies.isCountedIn()) return this.#ask(groupId, read, refused)\n', replace: "    if (groupId !== '') return this.#ask(groupId, read, refused)\n",
  },
  {
    name: 'a member that was replaced may still act', file: `${broker}/groups/core/classic-join.ts`,
    find: '    if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID\n', replace: '    if (current !== memberId) return ErrorCode.NONE\n',
  },
]
