import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Child, MARKER, runChild, startChild } from '../../sandbox/launcher/child.ts';
import { unprivileged } from '../../sandbox/servers/unprivileged.ts';
import { type TestServer, unusedPort } from './postgres.ts';

/** The oldest PostgreSQL that the store is promised to run on. */
export const OLDEST = 15;

const USUAL = `/usr/lib/postgresql/${OLDEST}/bin`;

/** Where its programs are: where `POSTGRES_15_BIN` says, else the place that Debian has for them; or why there are none. */
export function oldestPrograms(): { readonly folder: string } | { readonly missing: string } {
  const name = `POSTGRES_${OLDEST}_BIN`;
  const folder = process.env[name] ?? USUAL;
  const program = join(folder, 'postgres');
  if (!existsSync(program)) return { missing: `no PostgreSQL ${OLDEST}: ${program} is not there (${name})` };
  const version = execFileSync(program, ['--version'], { encoding: 'utf8' });
  return version.includes(` ${OLDEST}.`) ? { folder } : { missing: `${program} is ${version.trim()}` };
}

/** Starts a server of the oldest PostgreSQL for one test file, in a folder of its own. */
export async function startOldest(programs: string): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), `hisbridge-postgres-${OLDEST}-`));
  const [data, passwordFile] = [join(folder, 'data'), join(folder, 'password')];
  const password = randomBytes(12).toString('hex');
  const as = unprivileged(join(programs, 'postgres'), folder);
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  for (const path of [folder, data, passwordFile]) as.own(path);
  const make = as.wrap(join(programs, 'initdb'), [
    ...['--pgdata', data, '--username', 'hisbridge', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
  ]);
  await runChild({ name: 'initdb', ...make, folder });
  const port = await unusedPort();
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_locks_per_transaction=256',
  ];
  const run = as.wrap(join(programs, 'postgres'), [
    ...['-D', data, '-p', String(port)],
    ...settings.flatMap((setting) => ['-c', setting]),
  ]);
  // It carries the mark of the runner, which ends it when the tests are ended before they end it.
  const mark = process.env[MARKER] ?? folder;
  const logFile = join(folder, 'log');
  const child = startChild({ name: `PostgreSQL ${OLDEST}`, ...run, folder: mark, logFile });
  const url = `postgres://hisbridge:${password}@127.0.0.1:${port}/postgres`;
  await answers(url, child, logFile);
  return {
    url,
    async stop() {
      await child.stop(20_000, 'SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url: string, child: Child, logFile: string): Promise<void> {
  while (child.howEnded() === null) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
    // It may break while the server boots; the awaited call below says so.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return;
    } catch {
      await delay(50);
    } finally {
      await client.end();
    }
  }
  throw new Error(`${child.name} ended (${child.howEnded()}):\n${readFileSync(logFile, 'utf8')}`);
}
