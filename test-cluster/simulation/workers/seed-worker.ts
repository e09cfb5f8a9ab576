/** A process of its own that plays the seeds it is sent, one after the other, and answers with each result. */
import { simulate } from '../simulate.ts'

process.on('message', (seed: number) => {
  void simulate({ seed }).then((result) => process.send!(result))
})
process.on('disconnect', () => process.exit())
