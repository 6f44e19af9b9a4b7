import { CommanderError } from 'commander';
import { exitCodeOf, sayError } from './exit.ts';
import { program } from './program.ts';

try {
  await program().parseAsync();
} catch (thrown) {
  if (!(thrown instanceof CommanderError)) sayError(thrown, process.argv.includes('--json'));
  process.exitCode = exitCodeOf(thrown);
}
