import type { Command } from 'commander';

/** The option that every command with a configuration has, for `.option(...FOLDER)`. */
export const FOLDER = ['-c, --config <folder>', 'the folder of routes.yaml', '.'] as const;

interface Help {
  readonly examples: readonly string[];
  readonly notes: string | null;
}

const HELP = new WeakMap<Command, Help>();

/** Puts examples before everything else in the help of a command, and what else is worth knowing after it. */
export function examples(command: Command, lines: readonly string[], notes?: string): Command {
  HELP.set(command, { examples: lines, notes: notes ?? null });
  command.addHelpText('before', `Examples:\n${lines.map((line) => `  npx ${line}`).join('\n')}\n`);
  return notes === undefined ? command : command.addHelpText('after', `\n${notes}`);
}

/** The examples of a command. */
export function examplesOf(command: Command): readonly string[] {
  return HELP.get(command)?.examples ?? [];
}

/** What else its help says; null when nothing. */
export function notesOf(command: Command): string | null {
  return HELP.get(command)?.notes ?? null;
}
