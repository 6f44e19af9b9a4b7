import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { formatProblem } from '../engine/config/problems.ts';
import { readFolder } from '../engine/config/source.ts';
import { BridgeError } from '../engine/errors.ts';
import type { Problem } from '../engine/plan.ts';
import { lintIn } from './authoring.ts';
import { examples, FOLDER } from './help.ts';
import { counted, print, printJson, say } from './terminal.ts';

interface Options {
  readonly config: string;
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** `hisbridge lint`: everything that is wrong with the configuration, all at once. */
export function lint(): Command {
  const command = new Command('lint')
    .description(
      'Check routes.yaml and every template, schema and code map it names. Says where, what is wrong and what to write instead.',
    )
    .option(...FOLDER)
    .option('--strict', 'a variable that is not set here is an error, as it is for run')
    .option('--json', 'print the problems as JSON')
    .action(run);
  return examples(
    command,
    ['hisbridge lint', 'hisbridge lint --strict -c deploy/production', 'hisbridge lint --json'],
    'Exit code 1 when something must be corrected; warnings alone give 0.',
  );
}

function run({ config, strict = false, json = false }: Options): void {
  if (!existsSync(config)) throw new BridgeError('usage', `the folder ${config} is not there`);
  const problems = lintIn(config, strict);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (json) printJson(problems);
  else {
    const { read } = readFolder(config);
    print(problems.map((problem) => formatProblem(problem, read(problem.file))));
    say(summary(problems, errors));
  }
  if (errors > 0) process.exitCode = 1;
}

function summary(problems: readonly Problem[], errors: number): string {
  if (problems.length === 0) return 'No problems.';
  const files = new Set(problems.map(({ file }) => file)).size;
  const warnings = problems.length - errors;
  return `${counted(errors, 'error')}, ${counted(warnings, 'warning')} in ${counted(files, 'file')}.`;
}
