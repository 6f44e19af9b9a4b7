// Whether every `catch` block and every handler of a rejection in the engine was executed by some test:
// what runs only when something fails is what nobody has tried.
import { globSync } from 'node:fs';
import { join } from 'node:path';

import { executed } from './executed.ts';
import { type Handler, handlersIn } from './handlers.ts';

export interface Verdict {
  /** `engine/gate.ts:140: …` for each that nothing executed. */
  readonly missing: readonly string[];
  /** `142 of 142 catch blocks and rejection handlers were executed`. */
  readonly count: string;
}

/** Judges the handlers of `files` by the reports that processes left in `folder` (NODE_V8_COVERAGE). */
export function judge(files: readonly string[], root: string, folder: string): Verdict {
  const handlers = handlersIn(files, root);
  const seen = executed(handlers, folder);
  const missing = handlers.filter((handler) => handler.kind === 'named' || !seen.has(handler));
  return {
    missing: missing.map((handler) => `${handler.place}: ${WHY[handler.kind]}`),
    count: `${handlers.length - missing.length} of ${handlers.length} catch blocks and rejection handlers were executed`,
  };
}

const WHY: Readonly<Record<Handler['kind'], string>> = {
  catch: 'no test executes this catch block',
  rejection: 'no test executes this rejection handler',
  named: 'write this rejection handler in place: by its name nobody can tell who runs it',
};

/** The files of a checkout whose handlers must have been executed. */
export function judged(root: string): readonly string[] {
  return globSync('{engine,channels}/**/*.ts', { cwd: root, exclude: ['**/*.d.ts'] })
    .sort()
    .map((file) => join(root, file));
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error('usage: catches.ts <folder of NODE_V8_COVERAGE>');
  const root = join(import.meta.dirname, '../..');
  const { missing, count } = judge(judged(root), root, folder);
  process.stdout.write(`${[...missing, count].join('\n')}\n`);
  process.exitCode = missing.length === 0 ? 0 : 1;
}
