import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { channelKinds } from '../channels/index.ts';
import { withDiagram } from '../engine/booking/diagram.ts';
import { SCHEMA_FILE } from '../engine/config/generate.ts';
import { generateRoutesSchema } from '../engine/config/schema.ts';
import { errorReference } from './error-reference.ts';
import { commandReference } from './reference.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Every generated file, from what it is generated from. `npm run generate` writes them, `--check` names the stale ones. */
const GENERATED: Readonly<Record<string, (there: string) => string>> = {
  [SCHEMA_FILE]: () => generateRoutesSchema(channelKinds),
  'docs/booking.md': withDiagram,
  'docs/cli.md': () => commandReference(),
  'docs/errors.md': () => errorReference(),
};

/** The files that are not as they would be generated, with the text they should have. */
export function staleFiles(root: string = ROOT): ReadonlyMap<string, string> {
  const stale = new Map<string, string>();
  for (const [file, generate] of Object.entries(GENERATED)) {
    const there = textOf(join(root, file));
    const text = generate(there);
    if (text !== there) stale.set(file, text);
  }
  return stale;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw thrown;
  }
}

function main(check: boolean): void {
  const stale = staleFiles();
  for (const [file, text] of stale) {
    if (!check) writeFileSync(join(ROOT, file), text);
    console.log(check ? `${file} is stale: run npm run generate` : `wrote ${file}`);
  }
  if (stale.size === 0) console.log('Every generated file is as it should be.');
  else if (check) process.exitCode = 1;
}

if (import.meta.main) main(process.argv.includes('--check'));
