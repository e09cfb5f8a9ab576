import { Command, CommanderError } from 'commander'
import { addClusterCommand } from './commands/cluster.ts'
import { addDevCommand } from './commands/dev.ts'
import { addServerCommand } from './commands/server.ts'
import { UsageError } from './usage-error.ts'
import { KAVKA_VERSION } from './version.ts'

/** Runs the `kavka` command; resolves when it has nothing more to do, with the exit code set. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('kavka')
    .description('An event-streaming cluster that every Kafka client uses unchanged')
    .version(KAVKA_VERSION)
    .showSuggestionAfterError()
    .exitOverride()
  addServerCommand(program)
  addDevCommand(program)
  addClusterCommand(program)
  try {
    await program.parseAsync(argv)
  } catch (error) {
    process.exitCode = exitCodeFor(error)
  }
}

function exitCodeFor(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`)
    return 1
  }
  throw error
}
