import { Command } from 'commander';
import { COMMANDS } from './commands.ts';
import { examples } from './help.ts';

/** The command line, whole. Parsing it runs the command that is named; `silent` leaves it to the caller to say usage errors. */
export function program(silent = false): Command {
  const root = new Command('hisbridge')
    .description('Carries appointments between Dawy and hospital information systems.')
    .showHelpAfterError('(npx hisbridge help <command> says more)')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  if (silent) root.showHelpAfterError(false).configureOutput({ outputError: () => undefined });
  for (const [head, commands] of Object.entries(COMMANDS)) {
    root.commandsGroup(head);
    for (const command of commands) root.addCommand(inheriting(command(), root));
  }
  root.commandsGroup('Help:').helpCommand('help [command]', 'say what a command does');
  return examples(
    root,
    [
      'hisbridge lint',
      'hisbridge trigger booking.requested --to alnoor --follow',
      'hisbridge show BK-7712',
      'hisbridge status',
    ],
    'Exit codes: 0 well, 1 findings, 2 usage, 3 not reached, 4 not permitted, 5 changed meanwhile or not allowed, 130 interrupted.',
  );
}

/** A command that says and ends things as its parent does. */
function inheriting(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheriting(child, command);
  return command;
}
