import { describeNode, someLeader } from './nemesis.ts'
import type { Nemesis } from './nemesis.ts'

const JUMPS_S = [-3600, -120, -5, 5, 620, 3600]

export const clockJump: Nemesis = {
  name: 'clock', does: 'the wall clock of a node jumps, by seconds up to an hour, and back', reach: 'minority', target: 'node', needs: ['clocks'], managedOnly: true,
  strike(stage) {
    const victim = someLeader(stage)
    const seconds = JUMPS_S[stage.random.below(JUMPS_S.length)]!
    victim.clock!.shift(seconds)
    return Promise.resolve({
      description: `clock of ${describeNode(stage, victim)} ${seconds > 0 ? '+' : ''}${seconds} s`,
      holds: [victim.nodeId],
      heal: () => Promise.resolve(victim.clock!.shift(0)),
    })
  },
}
