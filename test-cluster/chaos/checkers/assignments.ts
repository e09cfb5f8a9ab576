import { operations } from '../history/operation.ts'
import type { Assigned, MemberCommit } from '../history/operation.ts'
import type { Checker } from './checker.ts'

/** A partition has one owner in a generation, and who owned it in an older one can no longer commit for it. */
export const assignments: Checker = {
  name: 'K-ASSIGN',
  finds: 'two members of a group own one partition',
  check: (history) => {
    const groups = Map.groupBy(operations(history, 'assigned').filter(({ outcome }) => outcome === 'ok'), ({ group }) => group)
    const commits = Map.groupBy(operations(history, 'member-commit').filter(({ outcome }) => outcome === 'ok'), ({ group }) => group)
    return [...groups].flatMap(([group, assigned]) => [
      ...ownedTwice(assigned), ...backwards(assigned), ...lateCommits(assigned, commits.get(group) ?? []),
    ])
  },
}

function ownedTwice(assigned: readonly Assigned[]): string[] {
  const owners = new Map<string, Set<string>>()
  for (const { generation, member, keys } of assigned) {
    for (const key of keys) {
      const place = `${key} in generation ${generation}`
      owners.set(place, (owners.get(place) ?? new Set()).add(member))
    }
  }
  return [...owners].filter(([, members]) => members.size > 1).map(([place, members]) => `${place} belongs to ${[...members].join(' and ')}`)
}

function backwards(assigned: readonly Assigned[]): string[] {
  return assigned.flatMap((one) => {
    const later = assigned.find((other) => other.returnedMs < one.invokedMs && other.generation > one.generation)
    return later === undefined ? [] : [`${one.group}: ${one.member} got generation ${one.generation} after ${later.member} got ${later.generation}`]
  })
}

/** A commit in an old generation that was sent after the partition's owner in a newer one had learned so. */
function lateCommits(assigned: readonly Assigned[], commits: readonly MemberCommit[]): string[] {
  return commits.flatMap((commit) => {
    const newer = assigned.find((one) =>
      one.generation > commit.generation && one.returnedMs < commit.invokedMs && one.member !== commit.member && one.keys.includes(commit.key))
    return newer === undefined
      ? []
      : [`${commit.key}: ${commit.member} committed in generation ${commit.generation} after ${newer.member} owned it in ${newer.generation}`]
  })
}
