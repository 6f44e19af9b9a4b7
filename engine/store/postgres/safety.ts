import type { ClientBase } from 'pg';
import { BridgeError } from '../../errors.ts';
import type { Digest } from '../../lane.ts';

/** The oldest PostgreSQL whose behaviour was measured. */
const OLDEST_VERSION = 150_000;
/** One batch may lock 200 lanes of each of two connections beside its tables. */
const LEAST_LOCKS = 64;
/** Further apart, one of the two clocks is wrong, and so is every time people read. */
const CLOCK_TOLERANCE_MS = 60_000;

interface Settings {
  readonly fsync: string;
  readonly commit: string;
  readonly pages: string;
  readonly locks: string;
  readonly version: string;
  readonly recovering: boolean;
  readonly now: Date;
}

/** Every setting of the server that voids the promise, in words; none when it is safe. Also tells the database's time. */
export async function dangers(
  client: ClientBase,
): Promise<{ readonly found: readonly string[]; readonly now: Date }> {
  const { rows } = await client.query<Settings>(
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
       current_setting('full_page_writes') as pages, current_setting('max_locks_per_transaction') as locks,
       current_setting('server_version_num') as version, pg_is_in_recovery() as recovering,
       clock_timestamp() as now`,
  );
  const [settings] = rows;
  if (settings === undefined) throw new BridgeError('store-mismatch', 'the server has no settings');
  const apartMs = Math.abs(settings.now.getTime() - Date.now());
  const checks: readonly (readonly [boolean, string])[] = [
    [settings.fsync === 'on', 'fsync is off: a crash of the machine loses what was acknowledged'],
    [
      settings.commit !== 'off',
      'synchronous_commit is off: a crash of the server loses what was acknowledged',
    ],
    [settings.pages === 'on', 'full_page_writes is off: a crash of the machine can break tables'],
    [Number(settings.locks) >= LEAST_LOCKS, `max_locks_per_transaction is below ${LEAST_LOCKS}`],
    [Number(settings.version) >= OLDEST_VERSION, 'the server is older than PostgreSQL 15'],
    [!settings.recovering, 'the server is a standby'],
    [
      apartMs <= CLOCK_TOLERANCE_MS,
      'the clocks of this machine and of the server are more than a minute apart',
    ],
  ];
  return { found: checks.filter(([safe]) => !safe).map(([, words]) => words), now: settings.now };
}

const traceOf = (digest: Digest): Buffer => digest.search('digest-key', 'hisbridge');

/** Leaves a trace of the key with which the digests of this database are made, where there is none yet. */
export async function leaveTrace(client: ClientBase, digest: Digest): Promise<void> {
  await client.query('insert into hisbridge.digest_key (trace) values ($1) on conflict do nothing', [
    traceOf(digest),
  ]);
}

/**
 * Whether the digests of this database were made under another key, in words: a repeat of what came before would not
 * be known, and a booking would be in two lanes.
 */
export async function strangeKey(client: ClientBase, digest: Digest): Promise<readonly string[]> {
  const { rows } = await client.query<{ trace: Buffer }>('select trace from hisbridge.digest_key');
  if (rows[0] === undefined || rows[0].trace.equals(traceOf(digest))) return [];
  return ['HISBRIDGE_DIGEST_KEY is not the one this database was begun with: no repeat would be known'];
}
