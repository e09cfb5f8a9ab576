/**
 * The commands of `testdata/*.txt`: clients by name talk to one core, and every answer and record is printed
 * as it comes.
 */
import { ErrorCode, errorName, ZERO_UUID } from '@kavka/protocol'
import type {
  JoinGroupAnswer,
  LeaveGroupAnswer,
  OffsetCommitAnswer,
  OffsetFetchAnswer,
  SyncGroupAnswer,
} from '../group-coordinator-api.ts'
import { decodeGroupValue, decodeOffsetValue, decodeRecordKey } from '../core/group-records.ts'
import { CoreHarness, subscription } from './core-harness.ts'
import type { News } from './core-harness.ts'

const GROUP = 'g'

/** The part of the test kit's script commands that is used here. */
interface ScriptCommand {
  readonly name: string
  readonly positional: readonly string[]
  readonly options: ReadonlyMap<string, readonly string[]>
  option(key: string): string | null
  number(key: string, fallback?: number): number
}

interface Client {
  memberId: string
  generationId: number
}

export class GroupScript {
  #harness = new CoreHarness()
  readonly #clients = new Map<string, Client>()
  readonly #callers = new Map<number, { readonly name: string; readonly call: string }>()

  run(command: ScriptCommand): string {
    const said = this.#execute(command)
    const news = this.#harness.takeNews().map((item) => this.#render(item))
    return [...(said === '' ? [] : [said]), ...news].join('\n') || 'ok'
  }

  #execute(command: ScriptCommand): string {
    switch (command.name) {
      case 'options':
        this.#harness = new CoreHarness(Object.fromEntries(Array.from(command.options, ([key, [value]]) => [key, Number(value)])))
        return ''
      case 'join':
        return this.#join(command)
      case 'sync':
        return this.#sync(command)
      case 'heartbeat':
        return this.#heartbeat(command)
      case 'leave':
        return this.#leave(command)
      case 'commit':
        return this.#commit(command)
      case 'fetch':
        return this.#fetch(command)
      case 'advance':
        this.#harness.advance(command.number('ms'))
        return ''
      case 'appends':
        this.#harness.appends = command.positional[0] === 'hold' ? 'hold' : 'commit'
        if (this.#harness.appends === 'commit') this.#harness.commit()
        return ''
      case 'fail':
        this.#harness.fail(ErrorCode[command.positional[0] as keyof typeof ErrorCode])
        return ''
      case 'failover':
        this.#harness.failover(command.positional[0] === 'kept' ? 'kept' : 'lost')
        return ''
      case 'describe':
        return this.#describe()
      default:
        throw new Error(`unknown command ${command.name}`)
    }
  }

  #join(command: ScriptCommand): string {
    const name = command.positional[0]!
    const client = this.#client(name)
    const protocols = command.options.get('protocols') ?? ['range']
    const metadata = subscription(command.options.get('topics') ?? ['t'], command.option('data') ?? '')
    const correlation = this.#harness.call<JoinGroupAnswer>((core, id, now) => {
      this.#callers.set(id, { name, call: 'join' })
      core.joinGroup(
        id,
        { apiVersion: command.number('version', 9), clientId: name, clientHost: '/127.0.0.1' },
        {
          groupId: GROUP,
          sessionTimeoutMs: command.number('session', 10_000),
          rebalanceTimeoutMs: command.number('rebalance', 60_000),
          memberId: command.option('member') ?? client.memberId,
          groupInstanceId: command.option('instance'),
          protocolType: command.option('type') ?? 'consumer',
          protocols: protocols.map((protocol) => ({ name: protocol, metadata })),
          reason: null,
        },
        now,
      )
    })
    return this.#harness.answers.has(correlation) ? '' : `${name} waits`
  }

  #sync(command: ScriptCommand): string {
    const name = command.positional[0]!
    const client = this.#client(name)
    const assignments = (command.options.get('assign') ?? []).map((pair) => {
      const [target, assignment] = pair.split(':')
      return { memberId: this.#clients.get(target!)?.memberId ?? target!, assignment: Buffer.from(assignment!) }
    })
    const correlation = this.#harness.call<SyncGroupAnswer>((core, id) => {
      this.#callers.set(id, { name, call: 'sync' })
      core.syncGroup(id, {
        groupId: GROUP,
        generationId: command.number('generation', client.generationId),
        memberId: command.option('member') ?? client.memberId,
        groupInstanceId: command.option('instance'),
        protocolType: command.option('type'),
        protocolName: command.option('protocol'),
        assignments,
      })
    })
    return this.#harness.answers.has(correlation) ? '' : `${name} waits`
  }

  #heartbeat(command: ScriptCommand): string {
    const name = command.positional[0]!
    const client = this.#client(name)
    const { errorCode } = this.#harness.core.heartbeat(
      {
        groupId: GROUP,
        generationId: command.number('generation', client.generationId),
        memberId: command.option('member') ?? client.memberId,
        groupInstanceId: command.option('instance'),
      },
      this.#harness.now,
    )
    this.#harness.drain()
    return `${name} <- heartbeat ${errorName(errorCode)}`
  }

  #leave(command: ScriptCommand): string {
    const members = command.positional.map((name) => ({ memberId: this.#client(name).memberId, groupInstanceId: null, reason: null }))
    const byInstance = (command.options.get('instances') ?? []).map((groupInstanceId) => ({ memberId: '', groupInstanceId, reason: null }))
    const request = { groupId: GROUP, members: [...members, ...byInstance] }
    const answer: LeaveGroupAnswer = this.#harness.core.leaveGroup(request, this.#harness.now)
    this.#harness.drain()
    return `leave ${errorName(answer.errorCode)} [${answer.members.map(({ errorCode }) => errorName(errorCode)).join(' ')}]`
  }

  #commit(command: ScriptCommand): string {
    const name = command.positional[0]!
    const client = this.#client(name)
    const correlation = this.#harness.call<OffsetCommitAnswer>((core, id, now) => {
      this.#callers.set(id, { name, call: 'commit' })
      core.commitOffsets(
        id,
        command.number('version', 9),
        {
          groupId: GROUP,
          generationIdOrMemberEpoch: command.number('generation', client.generationId),
          memberId: command.option('member') ?? client.memberId,
          groupInstanceId: command.option('instance'),
          retentionTimeMs: command.number('retention', -1),
          topics: (command.options.get('offsets') ?? []).map((entry) => {
            const [topic, partition, offset] = entry.split(':')
            const committed = { partitionIndex: Number(partition), committedOffset: Number(offset), committedLeaderEpoch: -1 }
            return { name: topic!, topicId: ZERO_UUID, partitions: [{ ...committed, committedMetadata: command.option('metadata') }] }
          }),
        },
        now,
      )
    })
    return this.#harness.answers.has(correlation) ? '' : `${name} waits`
  }

  #fetch(command: ScriptCommand): string {
    const answer: OffsetFetchAnswer = this.#harness.core.fetchOffsets({
      groupId: command.option('group') ?? GROUP,
      topics: null,
      stability: command.positional[0] === 'stable' ? 'stable-only' : 'last-committed',
    })
    const offsets = answer.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, committedOffset, errorCode }) =>
        `${name}-${partitionIndex}=${errorCode === 0 ? committedOffset : errorName(errorCode)}`,
      ),
    )
    return offsets.length === 0 ? 'nothing committed' : offsets.join(' ')
  }

  #describe(): string {
    const group = this.#harness.core.describeGroup(GROUP)
    if (group.errorCode !== ErrorCode.NONE) return errorName(group.errorCode)
    const members = group.members.map(({ memberId, memberAssignment }) => `  ${memberId} '${memberAssignment}'`)
    return [`${group.groupState} type=${group.protocolType} protocol=${group.protocolData}`, ...members].join('\n')
  }

  #client(name: string): Client {
    let client = this.#clients.get(name)
    if (client === undefined) this.#clients.set(name, (client = { memberId: '', generationId: -1 }))
    return client
  }

  #render(news: News): string {
    if (news.kind === 'append') return renderRecord(news)
    const { name, call } = this.#callers.get(news.correlation)!
    return `${name} <- ${call} ${this.#renderAnswer(this.#client(name), call, news.body)}`
  }

  #renderAnswer(client: Client, call: string, body: unknown): string {
    if (call === 'join') return renderJoin(client, body as JoinGroupAnswer)
    if (call === 'sync') return renderSync(body as SyncGroupAnswer)
    const { topics } = body as OffsetCommitAnswer
    return topics
      .flatMap(({ name, partitions }) => partitions.map((p) => `${name}-${p.partitionIndex}=${errorName(p.errorCode)}`))
      .join(' ')
  }
}

/** The client keeps what it was told, as a consumer does. */
function renderJoin(client: Client, answer: JoinGroupAnswer): string {
  if (answer.errorCode === ErrorCode.NONE || answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) client.memberId = answer.memberId
  if (answer.errorCode !== ErrorCode.NONE) return `${errorName(answer.errorCode)} member='${answer.memberId}'`
  client.generationId = answer.generationId
  const skip = answer.skipAssignment ? ' skip-assignment' : ''
  const members = answer.members.map(({ memberId }) => memberId).join(' ')
  return `NONE generation=${answer.generationId} protocol=${answer.protocolName} leader=${answer.leader} member=${answer.memberId} members=[${members}]${skip}`
}

function renderSync({ errorCode, assignment }: SyncGroupAnswer): string {
  return errorCode === ErrorCode.NONE ? `NONE assignment='${assignment}'` : errorName(errorCode)
}

function renderRecord({ key, value }: { readonly key: Buffer; readonly value: Buffer | null }): string {
  const decoded = decodeRecordKey(key)
  if (decoded.kind === 'offset') {
    const what = `${decoded.topic}-${decoded.partition}`
    return value === null ? `append ${what} tombstone` : `append ${what}=${decodeOffsetValue(key, value).offset}`
  }
  if (value === null) return 'append group tombstone'
  const { generation, leader, members } = decodeGroupValue(value)
  const assignments = members.map(({ memberId, assignment }) => `${memberId}:'${assignment}'`).join(' ')
  return `append group generation=${generation} leader=${leader} [${assignments}]`
}
