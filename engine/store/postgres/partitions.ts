import type { ClientBase } from 'pg';
import { failpoint } from '../../failpoint.ts';
import { instantOf } from '../../message.ts';

const PARTITIONED = [
  'message',
  'message_key',
  'delivery_ended',
  'edition',
  'attempt',
  'booking_step',
] as const;

const DAY_MS = 86_400_000;
const DAYS_AHEAD = 14;
/** Serializes everyone who makes partitions or migrates. */
export const SCHEMA_LOCK = 4_711_000_001n;

/** The day an instant belongs to, as its first millisecond (UTC). */
function dayOf(instant: Date): number {
  return Math.floor(instant.getTime() / DAY_MS) * DAY_MS;
}

/** The smallest UUIDv7-shaped value of an instant: where a day begins. */
export function firstIdOf(instant: Date): string {
  const hex = Math.max(0, instant.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
}

/**
 * Makes the day partitions from yesterday to 14 days ahead, by the database's clock, and those of
 * `alsoFor`: ids made by a clock that is off must find a place too. Writers are not stopped.
 */
export async function ensurePartitions(client: ClientBase, alsoFor: readonly string[] = []): Promise<void> {
  const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
  const today = dayOf(rows[0]?.now ?? new Date(0));
  const days = new Set<number>(alsoFor.map((id) => dayOf(instantOf(id))));
  for (let ahead = -1; ahead <= DAYS_AHEAD; ahead += 1) days.add(today + ahead * DAY_MS);
  const existing = await client.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
      join pg_class p on p.oid = i.inhparent where p.relnamespace = 'hisbridge'::regnamespace and p.relkind = 'p'`,
  );
  const names = new Set(existing.rows.map((row) => row.name));
  for (const day of [...days].sort((a, b) => a - b)) {
    const missing = PARTITIONED.map((table) => ({ table, name: nameOf(table, day) })).filter(
      ({ name }) => !names.has(name),
    );
    if (missing.length > 0) await makeDay(client, missing, day);
  }
}

function nameOf(table: string, day: number): string {
  return `${table}_${new Date(day).toISOString().slice(0, 10).replaceAll('-', '')}`;
}

/** All places of one day in one transaction: few commits, and no lock held for longer than a day takes. */
async function makeDay(
  client: ClientBase,
  missing: readonly { readonly table: string; readonly name: string }[],
  day: number,
): Promise<void> {
  const from = firstIdOf(new Date(day));
  const to = firstIdOf(new Date(day + DAY_MS));
  // Not `create table … partition of`: that takes an exclusive lock on the parent and stops every insert.
  await client.query('begin');
  try {
    await client.query(`select pg_advisory_xact_lock(${SCHEMA_LOCK})`);
    for (const { table, name } of missing) {
      const { rows } = await client.query<{ made: boolean }>('select to_regclass($1) is not null as made', [
        `hisbridge.${name}`,
      ]);
      if (rows[0]?.made === true) continue;
      await client.query(
        `create table hisbridge.${name} (like hisbridge.${table} including all);
         alter table hisbridge.${table} attach partition hisbridge.${name} for values from ('${from}') to ('${to}')`,
      );
    }
    failpoint('M15');
    await client.query('commit');
  } catch (thrown) {
    // What went wrong first is told, also when it was the connection.
    await client.query('rollback').catch(() => undefined);
    throw thrown;
  }
}
