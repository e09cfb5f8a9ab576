import { emptyImage } from '@kavka/controller'
import type { MetadataImage, MetadataPublisher } from '@kavka/controller'
import { RegistrationGate } from './registration-gate.ts'

const noChanges = {
  topicsCreatedOrChanged: new Set<never>(), topicsDeleted: new Map<never, never>(), brokersChanged: new Set<never>(),
  configsChanged: new Set<never>(), featuresChanged: false,
}

/** A loader that publishes when told to. */
function setUp() {
  const applied: number[] = []
  const publishers: MetadataPublisher[] = []
  const state = { brokerEpoch: -1, image: emptyImage as MetadataImage }
  const gate = new RegistrationGate({
    loader: {
      addPublisher: (publisher) => void publishers.push(publisher),
      get publishedImage() {
        return state.image
      },
    },
    brokerEpoch: () => state.brokerEpoch,
    publisher: { publish: ({ offset }) => void applied.push(offset) },
  })
  const publish = (offset: number): void => {
    const previous = state.image
    state.image = { ...emptyImage, offset }
    gate.publish()
    for (const publisher of publishers) publisher.publish(state.image, noChanges, previous)
  }
  return { gate, state, applied, publish }
}

test('shows nothing of the time before the registration', () => {
  const { gate, state, applied, publish } = setUp()
  publish(5)
  publish(90)
  expect(applied).toEqual([])
  state.brokerEpoch = 100
  publish(99)
  expect(gate.catchUp()).toBe(-1)
  expect(applied).toEqual([])
})

test('begins with the image that contains the registration, and goes on', () => {
  const { gate, state, applied, publish } = setUp()
  state.brokerEpoch = 100
  publish(100)
  expect(gate.catchUp()).toBe(100)
  publish(101)
  expect(applied).toEqual([100, 101])
  expect(gate.catchUp()).toBe(101)
})

test('begins when the answer comes after the record', () => {
  const { gate, state, applied, publish } = setUp()
  publish(100)
  state.brokerEpoch = 100
  expect(gate.catchUp()).toBe(-1)
  publish(101)
  expect(applied).toEqual([101])
  expect(gate.catchUp()).toBe(101)
})
