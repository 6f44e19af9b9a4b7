import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

import { BridgeError } from '../../engine/errors.ts';
import { type Child, runChild, startChild } from '../launcher/child.ts';
import { portFor } from '../launcher/ports.ts';
import { isAlive, worksIn } from '../launcher/processes.ts';
import { secretsOf } from '../launcher/secrets.ts';
import { givenServer } from './given.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import type { Log, WatchedServer } from './server.ts';
import { type Unprivileged, unprivileged } from './unprivileged.ts';

const USER = 'hisbridge';
const DATABASE = 'hisbridge';
const START_WITHIN_MS = 30_000;

// Only what differs from PostgreSQL's own choice: durable is its default, and stays.
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  max_locks_per_transaction: '256',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** PostgreSQL for the sandbox in `folder`: the one of DATABASE_URL, else a private one with its data in `folder/postgres`. */
export async function startPostgres(folder: string, log: Log): Promise<WatchedServer> {
  const given = process.env['DATABASE_URL'];
  if (given) {
    await answers(given);
    return givenServer(given, 'DATABASE_URL');
  }
  const server = await PrivatePostgres.prepare(folder, log);
  await server.start();
  return server;
}

interface Parts {
  readonly folder: string;
  readonly data: string;
  readonly port: number;
  readonly password: string;
  readonly program: string;
  readonly as: Unprivileged;
}

class PrivatePostgres implements WatchedServer {
  readonly url: string;
  readonly #parts: Parts;
  #child: Child | null = null;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.url = address(parts, DATABASE);
  }

  static async prepare(folder: string, log: Log): Promise<PrivatePostgres> {
    const { initdb, postgres } = postgresBinaries();
    const data = join(folder, 'postgres');
    const { postgresPassword: password } = secretsOf(folder);
    const as = unprivileged(postgres, folder);
    if (existsSync(data)) await endLeftover(data, log);
    else await makeCluster({ folder, data, password, initdb, as, log });
    const port = await portFor(folder, 'postgres');
    return new PrivatePostgres({ folder, data, port, password, program: postgres, as });
  }

  async start(): Promise<void> {
    const until = performance.now() + START_WITHIN_MS;
    for (;;) {
      this.#child = this.#spawn();
      const outcome = await this.#answersOrEnds(this.#child, until);
      if (outcome === 'answers') return;
      // After a kill the old processes hold its shared memory for a moment: it says so and ends, and is started again.
      const words = lastLines(logFile(this.#parts.folder));
      if (!words.includes('shared memory') || performance.now() > until) {
        throw new BridgeError('store-unavailable', `PostgreSQL did not start (${outcome}):\n${words}`);
      }
      await delay(200);
    }
  }

  async stop(): Promise<void> {
    await this.#child?.stop(20_000, 'SIGINT');
    this.#child = null;
  }

  async kill(): Promise<void> {
    await this.#child?.kill();
    this.#child = null;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  ended(): Promise<string> | null {
    return this.#child?.ended.then(({ how }) => how) ?? null;
  }

  #spawn(): Child {
    const { folder, data, port, program, as } = this.#parts;
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const { command, args } = as.wrap(program, ['-D', data, '-p', String(port), ...settings]);
    return startChild({ name: 'PostgreSQL', command, args, folder, logFile: logFile(folder) });
  }

  async #answersOrEnds(child: Child, until: number): Promise<string> {
    for (let how = child.howEnded(); how === null; how = child.howEnded()) {
      try {
        await makeDatabase(address(this.#parts, 'postgres'));
        return 'answers';
      } catch (error) {
        if (performance.now() > until) {
          await child.kill();
          throw BridgeError.from(error, 'store-unavailable', 'PostgreSQL');
        }
        await delay(50);
      }
    }
    return child.howEnded() ?? '';
  }
}

interface Cluster {
  readonly folder: string;
  readonly data: string;
  readonly password: string;
  readonly initdb: string;
  readonly as: Unprivileged;
  readonly log: Log;
}

// Made aside and renamed: a start that was interrupted leaves no half cluster that looks whole.
async function makeCluster({ folder, data, password, initdb, as, log }: Cluster): Promise<void> {
  log('PostgreSQL: making a private database');
  const aside = `${data}.new`;
  const passwordFile = join(folder, 'postgres.password');
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  as.own(aside);
  as.own(passwordFile);
  const { command, args } = as.wrap(initdb, [
    ...['--pgdata', aside, '--username', USER, '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
  ]);
  try {
    await runChild({ name: 'initdb', command, args, folder });
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(aside, data);
}

/** Ends the server that a launcher that crashed left on these files; two on the same files would be the end of them. */
async function endLeftover(data: string, log: Log): Promise<void> {
  const pid = leftover(data);
  if (pid === null) return;
  log(`PostgreSQL: ending the one of an earlier start (process ${pid})`);
  for (const [signal, waitMs] of [
    ['SIGINT', 15_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    process.kill(pid, signal);
    const until = performance.now() + waitMs;
    while (isAlive(pid) && performance.now() < until) await delay(50);
    if (!isAlive(pid)) return;
  }
}

function leftover(data: string): number | null {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return null;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  return Number.isInteger(pid) && pid > 1 && worksIn(pid, realpathSync(data)) ? pid : null;
}

async function makeDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  // The connection may break under us while the server boots; the awaited calls below report that.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

async function answers(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BridgeError(
      'store-unavailable',
      `The PostgreSQL of DATABASE_URL does not answer: ${why}. Start it, correct DATABASE_URL, or unset it to get a private one.`,
      { cause },
    );
  }
}

function address({ port, password }: Parts, database: string): string {
  return `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
}

function logFile(folder: string): string {
  return join(folder, 'postgres.log');
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
}
