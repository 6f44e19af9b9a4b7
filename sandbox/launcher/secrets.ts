import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What only this sandbox knows. Made at its first start, readable by its owner alone. */
export interface Secrets {
  readonly digestKey: string;
  readonly postgresPassword: string;
  readonly rabbitPassword: string;
}

/** The secrets of the sandbox in `folder`; makes them when there are none. */
export function secretsOf(folder: string): Secrets {
  const file = join(folder, 'secrets.json');
  const known = readSecrets(folder);
  if (known !== null) return known;
  const made: Secrets = {
    digestKey: randomBytes(32).toString('hex'),
    postgresPassword: randomBytes(18).toString('hex'),
    rabbitPassword: randomBytes(18).toString('hex'),
  };
  // Written aside and linked, so that nobody ever reads half a file and the first of two writers wins.
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  try {
    linkSync(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
  return readSecrets(folder) ?? made;
}

/** The secrets of the sandbox in `folder`, or null before its first start. */
export function readSecrets(folder: string): Secrets | null {
  try {
    return JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8')) as Secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
