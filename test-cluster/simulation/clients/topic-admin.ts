/** An administrator who cannot make up his mind about topics: several of them at once, under faults, are what R17 is about. */
import type { Cluster } from '../cluster.ts'
import { FOLLOWED_CONFIG } from '../invariants/metadata/admin-history.ts'
import { Admin } from './admin.ts'

/** Topics that may be deleted and created again; `t0` stays, groups commit offsets for it. */
export const PASSING_TOPICS = ['t1', 't2', 't3'] as const
const PARTITIONS_MAX = 4

/** Works until the run ends. */
export function startTopicAdmin(name: string, address: number, cluster: Cluster): void {
  void new TopicAdmin(name, address, cluster).loop()
}

/** Asks whether a topic is there, always the same node, and changes nothing. */
export function startTopicWatcher(name: string, address: number, cluster: Cluster): void {
  void watch(new Admin(name, address, cluster, 'one-node'))
}

async function watch(admin: Admin): Promise<void> {
  const { client } = admin
  const topic = PASSING_TOPICS[client.random.below(PASSING_TOPICS.length)]!
  while (!client.cluster.isHealing) {
    await client.pause(200 + 400 * client.random.unit())
    await admin.exists(topic)
  }
}

class TopicAdmin {
  readonly admin: Admin
  readonly #paceMs: number

  constructor(name: string, address: number, cluster: Cluster) {
    this.admin = new Admin(name, address, cluster, 'one-node')
    this.#paceMs = [200, 1_500][this.admin.client.random.below(2)]!
  }

  async loop(): Promise<void> {
    const { client } = this.admin
    for (;;) {
      await client.pause(this.#paceMs * (0.5 + client.random.unit()))
      if (client.cluster.isHealing) return
      await this.#act(PASSING_TOPICS[client.random.below(PASSING_TOPICS.length)]!, client.random.unit())
    }
  }

  async #act(topic: string, die: number): Promise<void> {
    const { admin } = this
    const { random } = admin.client
    if (die < 0.4) await admin.exists(topic)
    else if (die < 0.6) await admin.alterConfig(topic, FOLLOWED_CONFIG, String(100_000 + random.below(1_000_000)))
    else if (die < 0.8) await admin.createTopic(topic, 1 + random.below(2), {})
    else if (die < 0.9) await admin.addPartitions(topic, 1 + random.below(PARTITIONS_MAX))
    else await admin.deleteTopic(topic)
  }
}
