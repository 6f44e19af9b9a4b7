import { relative, resolve } from 'node:path';
import { Command } from 'commander';
import { authoredPlan } from './authoring.ts';
import type { Checked } from './fixtures/check.ts';
import type { Coverage, Covered } from './fixtures/coverage.ts';
import type { Difference } from './fixtures/differences.ts';
import type { Unreadable } from './fixtures/fixture.ts';
import { runFixtures } from './fixtures/run.ts';
import { examples, FOLDER } from './help.ts';
import { CALLED, coloured, columns, counted, print, printJson, say, span } from './terminal.ts';

interface Options {
  readonly config: string;
  readonly update?: boolean;
  readonly json?: boolean;
}

/** `hisbridge test`: the fixture tests of the transforms. */
export function test(): Command {
  const command = new Command('test')
    .description('Run the tests of the transforms: what is rendered, what is refused, what an answer means.')
    .argument('[paths...]', 'test files or folders; every transforms/**/*.test.yaml when left out')
    .option(...FOLDER)
    .option('--update', 'write what is rendered into the expected files')
    .option('--json', 'print the results as JSON')
    .action(run);
  return examples(
    command,
    [
      'hisbridge test',
      'hisbridge test transforms/alnoor',
      'hisbridge test transforms/alnoor/request.test.yaml --update',
    ],
    'How tests are written: transforms/README.md. Exit code 1 when one fails.',
  );
}

async function run(paths: readonly string[], options: Options): Promise<void> {
  const { config, update = false, json = false } = options;
  const since = performance.now();
  const ran = await runFixtures(authoredPlan(config), config, { paths, update });
  const { checked, unreadable, coverage } = ran;
  const failed = checked.filter(({ differences }) => differences.length > 0).length + unreadable.length;
  if (json) printJson({ tests: checked.map(asJson), unreadable, coverage });
  else {
    print(
      columns(checked.map(lineOf)).flatMap((line, index) => [line, ...detailsOf(checked[index], config)]),
    );
    print(unreadable.map(unreadableLine));
    const took = span(performance.now() - since);
    say(
      `${checked.length + unreadable.length - failed} passed, ${failed} failed (${took}).${coverageWords(coverage)}`,
    );
  }
  if (failed > 0 || checked.length === 0) process.exitCode = 1;
}

function lineOf({ placed: { fixture }, differences, updated, tookMs }: Checked): readonly string[] {
  const word =
    differences.length > 0 ? coloured('red', 'FAIL') : updated === null ? coloured('green', 'ok') : 'new';
  return [` ${word}`, fixture.route ?? fixture.channel ?? '', fixture.it, span(tookMs)];
}

function detailsOf(checked: Checked | undefined, config: string): readonly string[] {
  if (checked === undefined) return [];
  const { placed, differences, expected, updated } = checked;
  const where = (file: string) => relative(process.cwd(), resolve(config, file));
  const written = updated === null ? [] : [`        written: ${where(updated)}`];
  if (differences.length === 0) return written;
  const accept = `accept what is rendered: ${CALLED} test ${where(placed.file)} --update`;
  return [
    ...columns(differences.map(differenceLine)),
    `      ${where(placed.file)}:${placed.line}`,
    ...(expected === null ? [] : [`      ${accept}`]),
  ];
}

function differenceLine({ at, expected, got }: Difference): readonly string[] {
  return [`        ${at}`, `expected ${expected ?? 'nothing'}`, `got ${got ?? 'nothing'}`];
}

function unreadableLine({ file, line, problem }: Unreadable): string {
  return ` ${coloured('red', 'FAIL')}  ${file}:${line}  ${problem}`;
}

function coverageWords(coverage: Coverage | null): string {
  if (coverage === null) return '';
  const { routes, templates } = coverage;
  const missing = [...routes.missing, ...templates.missing];
  const without =
    missing.length === 0 ? '' : ` ${counted(missing.length, 'thing')} without a test: ${missing.join(', ')}.`;
  return ` Coverage: routes ${words(routes)}, templates ${words(templates)}.${without}`;
}

const words = ({ covered, all }: Covered): string => `${covered}/${all}`;

function asJson({ placed, differences, expected, updated, tookMs }: Checked) {
  const { file, line, fixture } = placed;
  return { file, line, it: fixture.it, ok: differences.length === 0, differences, expected, updated, tookMs };
}
