import { Command, CommanderError } from 'commander';
import { exitCodeOf, sayError } from './exit.ts';
import { migrate } from './migrate.ts';
import { run } from './run.ts';
import { topology } from './topology.ts';

const program = new Command('hisbridge')
  .description('Carries appointments between Dawy and hospital information systems.')
  .showSuggestionAfterError()
  .exitOverride();

for (const command of [run, migrate, topology]) program.addCommand(command());

try {
  await program.parseAsync();
} catch (thrown) {
  if (!(thrown instanceof CommanderError)) sayError(thrown, process.argv.includes('--json'));
  process.exitCode = exitCodeOf(thrown);
}
