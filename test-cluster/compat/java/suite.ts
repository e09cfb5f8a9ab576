import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { kafkaClasspath } from '../../foreign/kafka-tools.ts'
import type { CompatSuite } from '../check.ts'
import { departures } from './departures.ts'
import { transcribe } from './transcript.ts'

const recorded = fileURLToPath(new URL('transcript.txt', import.meta.url))

/** Apache Kafka's own tools: they must print what they print against Kafka itself. */
export const javaSuite: CompatSuite = {
  name: "Apache Kafka's tools (Java)",
  pace: 'quick',
  install: () => {
    kafkaClasspath()
    return Promise.resolve()
  },
  checks: [
    {
      name: 'print what they print against Kafka (needs a fresh cluster of three)',
      run: async (bootstrap) => {
        const actual = steps(await transcribe(bootstrap))
        const expected = steps(applyDepartures(readFileSync(recorded, 'utf8')))
        const differences = expected.flatMap((step, index) => (step === actual[index] ? [] : [`--- Kafka\n${step}\n--- Kavka\n${actual[index] ?? ''}`]))
        if (differences.length > 0) throw new Error(`${differences.length} of ${expected.length} steps differ\n${differences.join('\n')}`)
      },
    },
  ],
}

function steps(transcript: string): string[] {
  return transcript.split(/^(?=\$ )/m).map((step) => step.trim())
}

function applyDepartures(transcript: string): string {
  let text = transcript
  for (const { kafka, kavka, why } of departures) {
    if (!text.includes(kafka)) throw new Error(`a departure that no step shows any more: ${why}`)
    text = text.replaceAll(kafka, kavka)
  }
  return text
}
