import type { Measurement } from '../measurement.ts'
import { coldStart } from './cold-start.ts'
import { connectionMeasurements } from './connections.ts'
import { consumeCaughtUp } from './consume-caught-up.ts'
import { consume, consumeCold, consumeFanOut } from './consume.ts'
import { endToEnd, endToEndPaced } from './end-to-end.ts'
import { failover, restart } from './failover.ts'
import { growthMeasurements } from './growth.ts'
import { idle } from './idle.ts'
import { nodeClient } from './node-client.ts'
import { producePaced } from './produce-paced.ts'
import { produceMeasurements } from './produce.ts'
import { recovery } from './recovery.ts'

/** Everything that can be compared, in the order of the table; within a phase also the order of measuring. */
export const allMeasurements: readonly Measurement[] = [
  ...produceMeasurements, producePaced, consume, consumeCaughtUp, consumeFanOut, consumeCold, endToEnd, ...endToEndPaced, nodeClient,
  idle, coldStart, restart, failover, recovery, ...growthMeasurements, ...connectionMeasurements,
]
