import type { Command } from 'commander';

/** The option that every command with a configuration has, for `.option(...FOLDER)`. */
export const FOLDER = ['-c, --config <folder>', 'the folder of routes.yaml', '.'] as const;

/** The examples of each command, for the reference. */
const EXAMPLES = new WeakMap<Command, readonly string[]>();

/** Puts examples before everything else in the help of a command, and what else is worth knowing after it. */
export function examples(command: Command, lines: readonly string[], after?: string): Command {
  EXAMPLES.set(command, lines);
  command.addHelpText('before', `Examples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`);
  return after === undefined ? command : command.addHelpText('after', `\n${after}`);
}

/** The examples of a command. */
export function examplesOf(command: Command): readonly string[] {
  return EXAMPLES.get(command) ?? [];
}
