import { leavingDirectoryName, offsetFileName, parsePartitionDirectory } from './log-directory-names.ts'

const HEX = '0123456789abcdef0123456789abcdef'

// As Kafka 4.3.1 reads them.
test.each([
  ['topic-0', 'topic', 0],
  ['my-topic-12', 'my-topic', 12],
  ['a-b-c-3', 'a-b-c', 3],
  ['a-b.c-5', 'a-b.c', 5],
  ['__consumer_offsets-49', '__consumer_offsets', 49],
])('%s holds a partition', (name, topic, partition) => {
  expect(parsePartitionDirectory(name)).toEqual({ kind: 'partition', topicPartition: { topic, partition } })
})

test.each([
  [`topic-1.${HEX}-delete`, 'delete'],
  [`my.topic-1.${HEX}-future`, 'future'],
  [`t-4.${HEX}-stray`, 'stray'],
])('%s is on its way', (name, kind) => {
  expect(parsePartitionDirectory(name)).toEqual({ kind })
})

test.each(['topic', 'topic-', '-0', 'topic-x', 'topic-00', 'topic-2147483648'])('%s is no partition', (name) => {
  expect(parsePartitionDirectory(name)).toBeNull()
})

test('the name of a partition that leaves fits the file system and is read as such', () => {
  const topicPartition = { topic: 'x'.repeat(249), partition: 12 }
  const name = leavingDirectoryName(topicPartition, HEX, 'delete')
  expect(name).toHaveLength(255)
  expect(parsePartitionDirectory(name)).toEqual({ kind: 'delete' })
})

test('files are named by 20 digits', () => {
  expect(offsetFileName(1_234_567_890_123, '.log')).toBe('00000001234567890123.log')
})
