import { CommanderError } from 'commander';
import { BridgeError } from '../engine/errors.ts';
import { exitCodeOf, sayError } from './exit.ts';
import { program } from './program.ts';

/** Runs the command that the arguments name; resolves when it is over. Its exit code is that of the process. */
export async function main(args: readonly string[]): Promise<void> {
  const asJson = args.includes('--json');
  try {
    await program(asJson).parseAsync(args, { from: 'user' });
  } catch (thrown) {
    // Commander has said its own errors already, but not as JSON.
    if (!(thrown instanceof CommanderError)) sayError(thrown, asJson);
    else if (asJson && thrown.exitCode !== 0) sayError(usage(thrown), asJson);
    process.exitCode = exitCodeOf(thrown);
  }
}

function usage({ message }: CommanderError): BridgeError {
  return new BridgeError('usage', message.replace(/^error: /, ''));
}
