import { assert, assertPresent } from '@kavka/kernel'
import type { BrokerEpoch, NodeId } from '@kavka/protocol'
import type { BrokerRegistration, ControllerRegistration } from '../image.ts'
import type {
  BrokerChangeRecord,
  RegisterBrokerRecord,
  RegisterControllerRecord,
  UnregisterBrokerRecord,
} from '../records.ts'

type Brokers = ReadonlyMap<NodeId, BrokerRegistration>
type Controllers = ReadonlyMap<NodeId, ControllerRegistration>

/**
 * Replays the registrations of brokers and controllers. Clusters have few of them: the maps are copied when
 * one changes.
 */
export class BrokersDelta {
  readonly #baseBrokers: Brokers
  readonly #baseControllers: Controllers
  #brokers: Map<NodeId, BrokerRegistration> | null = null
  #controllers: Map<NodeId, ControllerRegistration> | null = null
  readonly #changed = new Set<NodeId>()

  constructor(brokers: Brokers, controllers: Controllers) {
    this.#baseBrokers = brokers
    this.#baseControllers = controllers
  }

  replayRegister(record: RegisterBrokerRecord, offset: number): void {
    const epoch = record.brokerEpoch === 'offset-of-batch' ? (offset as BrokerEpoch) : record.brokerEpoch
    const previous = (this.#brokers ?? this.#baseBrokers).get(record.brokerId)
    assert(previous === undefined || epoch >= previous.epoch, 'broker epochs never fall', { epoch })
    this.#set({
      id: record.brokerId,
      epoch,
      incarnationId: record.incarnationId,
      endpoints: record.endpoints,
      rack: record.rack,
      features: new Map(record.features.map(({ name, min, max }) => [name, { min, max }])),
      logDirs: record.logDirs,
      fenced: record.fenced,
      inControlledShutdown: record.inControlledShutdown,
    })
  }

  replayChange(record: BrokerChangeRecord): void {
    const broker = this.#existing(record.brokerId, record.brokerEpoch)
    this.#set({
      ...broker,
      fenced: record.fenced ?? broker.fenced,
      inControlledShutdown: record.inControlledShutdown ?? broker.inControlledShutdown,
      logDirs: record.logDirs ?? broker.logDirs,
    })
  }

  replayUnregister(record: UnregisterBrokerRecord): void {
    this.#existing(record.brokerId, record.brokerEpoch)
    this.#brokers ??= new Map(this.#baseBrokers)
    this.#brokers.delete(record.brokerId)
    this.#changed.add(record.brokerId)
  }

  replayController(record: RegisterControllerRecord): void {
    this.#controllers ??= new Map(this.#baseControllers)
    const { controllerId: id, incarnationId, endpoints } = record
    const features = new Map(record.features.map(({ name, min, max }) => [name, { min, max }]))
    this.#controllers.set(id, { id, incarnationId, endpoints, features })
  }

  finish(): { brokers: Brokers; controllers: Controllers; changed: ReadonlySet<NodeId> } {
    return {
      brokers: this.#brokers ?? this.#baseBrokers,
      controllers: this.#controllers ?? this.#baseControllers,
      changed: this.#changed,
    }
  }

  #set(broker: BrokerRegistration): void {
    this.#brokers ??= new Map(this.#baseBrokers)
    this.#brokers.set(broker.id, broker)
    this.#changed.add(broker.id)
  }

  #existing(brokerId: NodeId, brokerEpoch: BrokerEpoch): BrokerRegistration {
    const broker = assertPresent(
      (this.#brokers ?? this.#baseBrokers).get(brokerId),
      'a record of an unknown broker',
    )
    assert(broker.epoch === brokerEpoch, 'a record of another registration', {
      brokerId,
      brokerEpoch,
      epoch: broker.epoch,
    })
    return broker
  }
}
