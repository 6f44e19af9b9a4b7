import type pg from 'pg';
import type { Digest } from '../../lane.ts';
import type { MessageId } from '../../message.ts';
import type { MessageFilter, MessageSummary } from '../../records.ts';
import { firstIdOf } from './partitions.ts';

type SummaryDelivery = MessageSummary['deliveries'][number];

/** The open and the ended deliveries of messages. */
const SUMMARY = `
  select m.id, m.cause, m.received_at, m.channel, m.type, m.hospital, m.booking, m.state,
    (select coalesce(json_agg(json_build_object('id', a.id, 'route', a.route, 'channel', a.channel, 'state', a.state)
        order by a.seq), '[]')
       from (select d.id, d.route, d.channel, d.state, d.seq from hisbridge.delivery d where d.message_id = m.id
             union all
             select e.id, e.route, e.channel, e.ended_as, e.seq from hisbridge.delivery_ended e
              where e.message_id = m.id) a) as deliveries
    from hisbridge.message m`;

interface SummaryRow {
  readonly id: MessageId;
  readonly cause: MessageId | null;
  readonly received_at: Date;
  readonly channel: MessageSummary['channel'];
  readonly type: string;
  readonly hospital: MessageSummary['hospital'];
  readonly booking: string | null;
  readonly state: 'kept' | 'refused';
  readonly deliveries: readonly SummaryDelivery[];
}

function summaryOf({ received_at: receivedAt, ...row }: SummaryRow): MessageSummary {
  return { ...row, receivedAt };
}

const ID_PREFIX = /^[0-9a-f]{4,8}$|^[0-9a-f]{8}-[0-9a-f-]{0,27}$/;
const LOWEST = '00000000-0000-0000-0000-000000000000';
const HIGHEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** The ids that begin so; null when no id can. */
export function idRange(words: string): readonly [string, string] | null {
  const prefix = words.toLowerCase();
  if (!ID_PREFIX.test(prefix)) return null;
  return [prefix + LOWEST.slice(prefix.length), prefix + HIGHEST.slice(prefix.length)];
}

const BY_ID = `
  select id from hisbridge.message where id between $1::uuid and $2::uuid
  union select message_id from hisbridge.delivery
    where id between $1::uuid and $2::uuid or edition between $1::uuid and $2::uuid
  union select message_id from hisbridge.delivery_ended
    where id between $1::uuid and $2::uuid or edition between $1::uuid and $2::uuid limit $3`;

const BY_WORDS = `
  select id from hisbridge.message where booking = $1
  union select m.id from hisbridge.booking_ref r join hisbridge.message m on m.booking = r.reference
    where r.value = $1
  union select message_id from hisbridge.message_key where not private and value like $2
  union select message_id from hisbridge.message_key where private and value = any($4::text[])
  union select coalesce(d.message_id, e.message_id) from hisbridge.edition n
    left join hisbridge.delivery d on d.id = n.delivery_id
    left join hisbridge.delivery_ended e on e.id = n.delivery_id
    where n.key like $2 limit $3`;

/** The messages some words name, the newest first. */
export async function findMessages(
  pool: pg.Pool,
  digest: Digest,
  words: string,
  { privateNames, limit }: { readonly privateNames: readonly string[]; readonly limit: number },
): Promise<readonly MessageSummary[]> {
  const ids = new Set<string>();
  const range = idRange(words);
  if (range !== null) {
    for (const { id } of (await pool.query<{ id: string }>(BY_ID, [...range, limit])).rows) ids.add(id);
  }
  const beginning = `${words.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const digests = privateNames.map((name) => digest.search(name, words).toString('hex'));
  const named = await pool.query<{ id: string }>(BY_WORDS, [words, beginning, limit, digests]);
  for (const { id } of named.rows) ids.add(id);
  const { rows } = await pool.query<SummaryRow>(
    `${SUMMARY} where m.id = any($1::uuid[]) order by m.kept_at desc, m.id desc limit $2`,
    [[...ids], limit],
  );
  return rows.map(summaryOf);
}

/** Messages by what they have in common, the newest first. */
export async function listMessages(
  pool: pg.Pool,
  { since, type, hospital, state, limit }: MessageFilter,
): Promise<readonly MessageSummary[]> {
  const { rows } = await pool.query<SummaryRow>(
    `select * from (${SUMMARY}
       where m.id >= $1::uuid and ($2::text is null or m.type = $2) and ($3::text is null or m.hospital = $3)) s
      where $4::text is null or s.state = $4
         or exists (select 1 from json_array_elements(s.deliveries) d where d->>'state' = $4)
      order by s.id desc limit $5`,
    [firstIdOf(since ?? new Date(0)), type, hospital, state, limit],
  );
  return rows.map(summaryOf);
}
