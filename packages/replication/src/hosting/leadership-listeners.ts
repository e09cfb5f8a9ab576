import type { LeadershipListener } from '../api.ts'
import type { RoleChange } from '../partition/partition-role.ts'
import type { Partition } from '../partition/partition.ts'

/** Who wants to know which partitions of a topic this broker leads. */
export class LeadershipListeners {
  readonly #byTopic = new Map<string, LeadershipListener[]>()

  add(topic: string, listener: LeadershipListener): void {
    const listeners = this.#byTopic.get(topic)
    if (listeners === undefined) this.#byTopic.set(topic, [listener])
    else listeners.push(listener)
  }

  tell(partition: Partition, change: RoleChange): void {
    if (change.elected === null && change.resigned === null) return
    for (const listener of this.#byTopic.get(partition.topicPartition.topic) ?? []) {
      if (change.resigned !== null) listener.resigned(partition.partition, change.resigned)
      if (change.elected !== null) listener.elected(partition.partition, change.elected)
    }
  }
}
