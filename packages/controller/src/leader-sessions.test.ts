import type { NodeId } from '@kavka/protocol'
import { LeaderSessions } from './leader-sessions.ts'

const FIRST = 1 as NodeId
const SECOND = 2 as NodeId

function open(sessions: LeaderSessions, leaderId: NodeId) {
  const told: string[] = []
  let broken = (): void => {}
  const session = sessions.track(leaderId, () => told.push('owner'), (tell) => {
    broken = tell
    return { close: () => told.push('stream closed') }
  })
  return { told, close: () => session.close(), breaks: () => broken() }
}

test('a broken stream tells its owner, once', () => {
  const session = open(new LeaderSessions(), FIRST)
  session.breaks()
  session.breaks()
  session.close()
  expect(session.told).toEqual(['owner'])
})

test('an owner that closes is told nothing', () => {
  const session = open(new LeaderSessions(), FIRST)
  session.close()
  session.breaks()
  expect(session.told).toEqual(['stream closed'])
})

test('another leader ends the sessions to the former one only', () => {
  const sessions = new LeaderSessions()
  const [former, current] = [open(sessions, FIRST), open(sessions, SECOND)]
  sessions.loseAllBut(SECOND)
  expect([former.told, current.told]).toEqual([['stream closed', 'owner'], []])
  sessions.loseAllBut(SECOND)
  expect(former.told).toHaveLength(2)
})

test('an owner that opens the next session while it is told of the end keeps it', () => {
  const sessions = new LeaderSessions()
  let next: ReturnType<typeof open> | null = null
  sessions.track(FIRST, () => (next = open(sessions, SECOND)), () => ({ close: () => {} }))
  sessions.loseAllBut(SECOND)
  expect(next!.told).toEqual([])
  sessions.close()
  expect(next!.told).toEqual(['stream closed'])
})
