import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { BridgeError } from '../../errors.ts';
import { ensurePartitions, SCHEMA_LOCK } from './partitions.ts';

const DIRECTORY = new URL('./migrations/', import.meta.url);

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

async function migrations(): Promise<readonly Migration[]> {
  const names = (await readdir(DIRECTORY)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, DIRECTORY), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/**
 * Brings the tables to this version, each migration in a transaction of its own, and makes the day
 * partitions. Resolves with the names it applied. Several may run at once; nothing is applied twice.
 */
export async function migrate(url: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'hisbridge migrate' });
  await client.connect();
  try {
    // The lock is of the session, so that it covers every transaction below.
    await client.query(`select pg_advisory_lock(${SCHEMA_LOCK})`);
    await client.query(`create schema if not exists hisbridge;
      create table if not exists hisbridge.migration (
        name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
    const applied: string[] = [];
    for (const migration of await missing(client)) {
      await apply(client, migration);
      applied.push(migration.name);
    }
    await ensurePartitions(client);
    return applied;
  } finally {
    await client.end();
  }
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query('insert into hisbridge.migration (name, checksum) values ($1, $2)', [name, checksum]);
    await client.query('commit');
  } catch (thrown) {
    await client.query('rollback');
    throw thrown;
  }
}

async function missing(client: pg.ClientBase): Promise<readonly Migration[]> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'select name, checksum from hisbridge.migration order by name',
  );
  const applied = new Map(rows.map((row) => [row.name, row.checksum]));
  const known = await migrations();
  for (const { name, checksum } of known) {
    const was = applied.get(name);
    if (was !== undefined && was !== checksum)
      throw new BridgeError('store-outdated', `the tables were made by another form of migration ${name}`);
    applied.delete(name);
  }
  const [newer] = applied.keys();
  if (newer !== undefined)
    throw new BridgeError('store-outdated', `the tables have the newer migration ${newer}`);
  const done = new Set(rows.map((row) => row.name));
  return known.filter(({ name }) => !done.has(name));
}

/** Throws `store-outdated` unless the tables are exactly those of this version. */
export async function checkVersion(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('hisbridge.migration') is not null as there`,
  );
  if (rows[0]?.there !== true)
    throw new BridgeError('store-outdated', 'the database has no tables of hisbridge');
  const [first] = await missing(client);
  if (first !== undefined) throw new BridgeError('store-outdated', `migration ${first.name} was not applied`);
}
