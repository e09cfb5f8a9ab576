import type { GroupView, ListGroupsAnswer, ListGroupsFilter } from './group-coordinator-api.ts'

/**
 * Groups in one of the states and of one of the types, an empty list standing for all (KIP-518, KIP-848).
 * Dead groups are gone.
 */
export function filterGroups(groups: Iterable<GroupView>, filter: ListGroupsFilter): ListGroupsAnswer['groups'] {
  const states = lowerCase(filter.states)
  const types = lowerCase(filter.types)
  if (types.size > 0 && !types.has('classic')) return []
  const listed = []
  for (const { groupId, protocolType, state } of groups) {
    if (states.size > 0 && !states.has(state.toLowerCase())) continue
    if (state === 'Dead') continue
    listed.push({ groupId, protocolType, groupState: state, groupType: 'classic' as const })
  }
  return listed
}

function lowerCase(names: readonly string[]): Set<string> {
  return new Set(names.map((name) => name.toLowerCase()))
}
