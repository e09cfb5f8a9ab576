// Runs the session against Apache Kafka and writes the transcript that Kavka is held against: node test-cluster/compat/java/record.ts
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { KafkaCluster } from '../../foreign/kafka-cluster.ts'
import { transcribe } from './transcript.ts'

const kafka = await KafkaCluster.start()
try {
  const transcript = await transcribe(kafka.bootstrap, (step) => console.log(step))
  writeFileSync(fileURLToPath(new URL('transcript.txt', import.meta.url)), transcript)
} finally {
  await kafka.dispose()
}
