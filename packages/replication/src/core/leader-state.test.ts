import { ErrorCode, leaderEpoch, nodeId, offset } from '@kavka/protocol'
import type { NodeId, PartitionEpoch } from '@kavka/protocol'
import { LeaderState } from './leader-state.ts'
import type { LeaderStateOptions } from './leader-state.ts'

const [one, two, three] = [1, 2, 3].map(nodeId) as [NodeId, NodeId, NodeId]
const LAG_MS = 30_000
const EPOCH_OF_BROKER = 7

function leader(options: Partial<LeaderStateOptions> = {}, minIsr = 2, eligible: readonly NodeId[] = [one, two, three]): LeaderState {
  return new LeaderState(
    {
      localId: one,
      leaderEpoch: leaderEpoch(5),
      partitionEpoch: 10 as PartitionEpoch,
      replicas: [one, two, three],
      isr: [one, two, three],
      epochStart: offset(100),
      durableEnd: offset(100),
      highWatermark: offset(90),
      lagMsMax: LAG_MS,
      nowMs: 0,
      ...options,
    },
    {
      minInsyncReplicas: () => minIsr,
      isEligible: (id, brokerEpoch) => eligible.includes(id) && brokerEpoch === EPOCH_OF_BROKER,
      brokerEpochOf: () => EPOCH_OF_BROKER,
    },
  )
}

function position(durableEndOffset: number, brokerEpoch = EPOCH_OF_BROKER) {
  return { durableEndOffset, logStartOffset: 0, brokerEpoch }
}

function accepted(isr: readonly NodeId[], partitionEpoch: number) {
  return { kind: 'accepted', leaderEpoch: 5, partitionEpoch, isr } as const
}

describe('high watermark', () => {
  test('is the smallest durable end of the ISR, the leader included', () => {
    const state = leader()
    state.appended(offset(120), 1)
    expect(state.acknowledged(two, position(110), 2).highWatermark).toBeNull()
    expect(state.acknowledged(three, position(105), 2).highWatermark).toBe(100)
    expect(state.madeDurable(offset(120), 3).highWatermark).toBe(105)
    expect(state.acknowledged(three, position(120), 4).highWatermark).toBe(110)
  })

  test('waits for members that have not acknowledged in this leader epoch', () => {
    const state = leader()
    expect(state.acknowledged(two, position(100), 1).highWatermark).toBeNull()
    expect(state.knowsCommitted).toBe(false)
    expect(state.acknowledged(three, position(100), 1).highWatermark).toBe(100)
    expect(state.knowsCommitted).toBe(true)
  })

  test('never goes back when a follower comes back with less', () => {
    const state = leader({ isr: [one, two], highWatermark: offset(100) })
    expect(state.acknowledged(two, position(40), 1).highWatermark).toBeNull()
    expect(state.highWatermark).toBe(100)
  })

  test('stands still while the ISR is below min.insync.replicas, which the number of replicas caps', () => {
    const state = leader({ isr: [one] })
    state.appended(offset(101), 0)
    expect(state.madeDurable(offset(101), 1).highWatermark).toBeNull()
    const alone = leader({ replicas: [one], isr: [one] }, 3)
    alone.appended(offset(101), 0)
    expect(alone.madeDurable(offset(101), 1).highWatermark).toBe(101)
  })

  test('waits for a caught-up outsider that may join, not for one that may not', () => {
    const waiting = leader({ isr: [one, two] })
    waiting.acknowledged(two, position(100), 1)
    waiting.connected(three)
    expect(waiting.acknowledged(three, position(100), 1).proposal?.kind).toBe('expand')
    waiting.appended(offset(110), 2)
    waiting.madeDurable(offset(110), 2)
    expect(waiting.acknowledged(two, position(110), 2).highWatermark).toBeNull()

    const fenced = leader({ isr: [one, two] }, 2, [one, two])
    fenced.acknowledged(three, position(100), 1)
    fenced.acknowledged(two, position(100), 1)
    fenced.appended(offset(110), 2)
    fenced.madeDurable(offset(110), 2)
    expect(fenced.acknowledged(two, position(110), 2).highWatermark).toBe(110)
  })

  test('refuses an acknowledgment beyond its own end', () => {
    expect(() => leader().acknowledged(two, position(101), 1)).toThrow('acknowledged beyond the leader')
  })
})

describe('joining the ISR', () => {
  test('needs the high watermark and the start of the leader epoch', () => {
    const state = leader({ isr: [one, two] })
    expect(state.acknowledged(three, position(89), 1).proposal).toBeNull()
    expect(state.acknowledged(three, position(99), 1).proposal).toBeNull()
    expect(state.acknowledged(three, position(100), 1).proposal).toMatchObject({
      kind: 'expand',
      leaderEpoch: 5,
      partitionEpoch: 10,
      isr: [
        { brokerId: 1, brokerEpoch: EPOCH_OF_BROKER },
        { brokerId: 2, brokerEpoch: EPOCH_OF_BROKER },
        { brokerId: 3, brokerEpoch: EPOCH_OF_BROKER },
      ],
    })
  })

  test('is not for an older incarnation of the broker', () => {
    const state = leader({ isr: [one, two] })
    expect(state.acknowledged(three, position(100, EPOCH_OF_BROKER - 1), 1).proposal).toBeNull()
  })

  test('happens at the next review once the metadata makes the follower eligible', () => {
    const eligible = [one, two]
    const state = leader({ isr: [one, two] }, 2, eligible)
    state.connected(three)
    expect(state.acknowledged(three, position(100), 1).proposal).toBeNull()
    eligible.push(three)
    expect(state.checkIsr(2).proposal?.kind).toBe('expand')
  })

  test('is not for one that left for its silence and still is silent', () => {
    const state = leader({ isr: [one, two], replicas: [one, two], highWatermark: offset(100) }, 1)
    state.connected(two)
    state.acknowledged(two, position(100), 0)
    state.appended(offset(110), 1)
    const { proposal } = state.checkIsr(2 * LAG_MS)
    state.answered(proposal!, accepted([one], 11), 2 * LAG_MS)
    expect(state.checkIsr(3 * LAG_MS).proposal).toBeNull()
    state.madeDurable(offset(110), 3 * LAG_MS)
    expect(state.acknowledged(two, position(109), 3 * LAG_MS).proposal).toBeNull()
    expect(state.acknowledged(two, position(110), 3 * LAG_MS).proposal?.kind).toBe('expand')
  })

  test('counts for the high watermark from the proposal on, for min ISR from the commit on', () => {
    const state = leader({ isr: [one], highWatermark: offset(100) })
    const { proposal } = state.acknowledged(two, position(100), 1)
    state.appended(offset(110), 2)
    state.madeDurable(offset(110), 2)
    expect(state.isUnderMinIsr).toBe(true)
    expect(state.hasEnoughReplicas).toBe(true)
    expect(state.answered(proposal!, accepted([one, two], 11), 3)).toMatchObject({
      kind: 'committed',
      step: { highWatermark: null },
    })
    expect(state.acknowledged(two, position(110), 4).highWatermark).toBe(110)
  })
})

describe('leaving the ISR', () => {
  test('takes more than replica.lag.time.max.ms without catching up', () => {
    const state = leader({ isr: [one, two], replicas: [one, two] }, 1)
    state.connected(two)
    state.acknowledged(two, position(100), 0)
    state.appended(offset(101), 50_000)
    expect(state.checkIsr(50_000 + LAG_MS).proposal).toBeNull()
    const { proposal } = state.checkIsr(50_001 + LAG_MS)
    expect(proposal).toMatchObject({ kind: 'shrink', isr: [{ brokerId: 1 }] })
  })

  test('does not happen to a follower that has everything, however long ago', () => {
    const state = leader({ isr: [one, two], replicas: [one, two] })
    state.acknowledged(two, position(100), 0)
    expect(state.checkIsr(10 * LAG_MS).proposal).toBeNull()
  })

  test('counts from the broken stream for a follower that had everything then', () => {
    const state = leader({ isr: [one, two], replicas: [one, two] }, 1)
    state.connected(two)
    state.acknowledged(two, position(100), 0)
    state.disconnected(two, 10_000)
    state.appended(offset(101), 60_000)
    expect(state.checkIsr(60_000).proposal?.kind).toBe('shrink')
  })

  test('does not happen to a follower that keeps one pipeline behind a busy leader', () => {
    const state = leader({ isr: [one, two], replicas: [one, two] })
    state.connected(two)
    for (let now = 0; now < 3 * LAG_MS; now += 10) {
      state.appended(offset(100 + now), now)
      if (now >= 50) state.acknowledged(two, position(100 + now - 50), now)
      expect(state.checkIsr(now).proposal).toBeNull()
    }
  })

  test('still counts for the high watermark until the controller agrees', () => {
    const state = leader({ isr: [one, two], replicas: [one, two], highWatermark: offset(100) }, 1)
    state.acknowledged(two, position(100), 0)
    state.appended(offset(110), 1)
    const { proposal } = state.checkIsr(LAG_MS * 2)
    expect(state.madeDurable(offset(110), LAG_MS * 2).highWatermark).toBeNull()
    const outcome = state.answered(proposal!, accepted([one], 11), LAG_MS * 2)
    expect(outcome).toMatchObject({ kind: 'committed', step: { highWatermark: 110 } })
  })
})

describe('answers of the controller', () => {
  function proposing() {
    const state = leader({ isr: [one, two] })
    const { proposal } = state.acknowledged(three, position(100), 1)
    return { state, proposal: proposal! }
  }

  test.each([ErrorCode.INELIGIBLE_REPLICA, ErrorCode.OPERATION_NOT_ATTEMPTED])('%d reverts', (errorCode) => {
    const { state, proposal } = proposing()
    expect(state.answered(proposal, { kind: 'refused', errorCode }, 2)).toEqual({ kind: 'reverted' })
    expect(state.isrState).toEqual({ kind: 'committed', isr: [one, two] })
  })

  test.each([
    ErrorCode.INVALID_UPDATE_VERSION,
    ErrorCode.FENCED_LEADER_EPOCH,
    ErrorCode.INVALID_REQUEST,
    ErrorCode.NEW_LEADER_ELECTED,
    ErrorCode.UNKNOWN_TOPIC_ID,
  ])('%d waits for metadata, with the joiner still counted', (errorCode) => {
    const { state, proposal } = proposing()
    expect(state.answered(proposal, { kind: 'refused', errorCode }, 2)).toEqual({ kind: 'await-metadata' })
    expect(state.isrState.kind).toBe('expanding')
    expect(state.checkIsr(3).proposal).toBeNull()
  })

  test('NOT_CONTROLLER is tried again', () => {
    const { state, proposal } = proposing()
    expect(state.answered(proposal, { kind: 'refused', errorCode: ErrorCode.NOT_CONTROLLER }, 2).kind).toBe('retry')
    expect(state.pendingProposal).toBe(proposal)
  })

  test('newer metadata settles a proposal; its late answer means nothing', () => {
    const { state, proposal } = proposing()
    state.registrationChanged({ replicas: [one, two, three], isr: [one, two], partitionEpoch: 12 as PartitionEpoch }, 2)
    expect(state.pendingProposal).not.toBe(proposal)
    expect(state.answered(proposal, accepted([one, two, three], 11), 3)).toEqual({ kind: 'superseded' })
    expect(state.partitionEpoch).toBe(12)
  })

  test('metadata of the partition epoch that is proposed from does not settle it', () => {
    const { state, proposal } = proposing()
    state.registrationChanged({ replicas: [one, two, three], isr: [one, two], partitionEpoch: 10 as PartitionEpoch }, 2)
    expect(state.pendingProposal).toBe(proposal)
  })

  test('older metadata than the accepted change is ignored', () => {
    const { state, proposal } = proposing()
    state.answered(proposal, accepted([one, two, three], 11), 2)
    state.registrationChanged({ replicas: [one, two, three], isr: [one, two], partitionEpoch: 10 as PartitionEpoch }, 3)
    expect(state.isr).toEqual([one, two, three])
  })

  test('an answer of another leader epoch is not taken', () => {
    const { state, proposal } = proposing()
    expect(state.answered(proposal, { ...accepted([one, two, three], 11), leaderEpoch: 6 }, 2).kind).toBe('await-metadata')
  })
})
