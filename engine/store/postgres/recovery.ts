import type { ChannelName } from '../../message.ts';
import type { Rows, Session } from './connection.ts';
import { type Call, call, type Statement } from './statements.ts';

export interface Recovered {
  readonly queued: number;
  readonly ambiguous: number;
  readonly channels: ReadonlySet<ChannelName>;
}

const statement = (name: string, idle: readonly unknown[], text: string): Statement => ({ name, idle, text });

/** Running deliveries whose owner is not among the instances. Rows that a settle or an edition holds are left to the next beat. */
export const LOCK_LOST = statement(
  'lock_lost',
  [],
  `select d.id from hisbridge.delivery d
    where d.state = 'running' and not exists (select 1 from hisbridge.instance i where i.id = d.owner)
    order by d.id limit 500 for update of d skip locked`,
);

const SOMEBODY = '00000000-0000-0000-0000-000000000000';

/** Of these deliveries, the ones one owner has running. */
export const LOCK_NAMED = statement(
  'lock_named',
  [SOMEBODY, '{}'],
  `select d.id from hisbridge.delivery d
    where d.id = any($2::uuid[]) and d.owner = $1::uuid
    order by d.id limit 500 for update of d skip locked`,
);

/** All that one owner has running. */
export const LOCK_OWNED = statement(
  'lock_owned',
  [SOMEBODY],
  `select d.id from hisbridge.delivery d
    where d.owner = $1::uuid and d.state = 'running'
    order by d.id limit 500 for update of d skip locked`,
);

export const OWNED = statement(
  'owned',
  [SOMEBODY],
  `select d.id from hisbridge.delivery d where d.owner = $1::uuid and d.state = 'running'`,
);

/**
 * Gives locked deliveries back to the queue. Asked in a statement of its own, whose snapshot is newer
 * than the locks: an edition that was being written meanwhile is seen. Without one it was never sent;
 * with one it may have been, and that is written down as an attempt.
 */
export const GIVE_BACK = statement(
  'give_back',
  ['{}', '{}'],
  `with s as (
     select d.id, d.owner, e.id is not null as sent, t.attempt
       from unnest($1::uuid[], $2::uuid[]) t(id, attempt)
       join hisbridge.delivery d on d.id = any(array[t.id])
       left join hisbridge.edition e on e.id = any(array[d.edition])),
   u as (
     update hisbridge.delivery d
        set state = 'queued', owner = null, due_at = now(), ambiguous = d.ambiguous or s.sent,
            tries = case when s.sent then d.tries else greatest(d.tries - 1, 0) end,
            last_sent_at = case when s.sent then now() else d.last_sent_at end,
            error = case when s.sent then 'instance-lost' else d.error end,
            error_detail = case when s.sent then null else d.error_detail end
       from s where d.id = any(array[s.id])
     returning d.id, d.channel, d.edition, d.hospital, d.tries, s.sent, s.attempt, s.owner),
   w as (
     insert into hisbridge.attempt
       (id, delivery_id, edition, hospital, kind, no, started_at, ended_at, outcome, summary, plan, instance)
     select u.attempt, u.id, u.edition, u.hospital, 'send', u.tries, now(), now(), 'instance-lost',
         'the engine that was sending it was lost', coalesce(e.plan, '-'), u.owner
       from u left join hisbridge.edition e on e.id = any(array[u.edition]) where u.sent)
   select u.channel, u.sent from u`,
);

export const RECOVERING = [LOCK_LOST, LOCK_NAMED, LOCK_OWNED, OWNED, GIVE_BACK];

/** The limit of the statements that lock. */
const AT_ONCE = 500;

/** Gives back what `lock` finds, some hundred a transaction. */
export async function giveBack(session: Session, lock: Call, newId: () => string): Promise<Recovered> {
  let queued = 0;
  let ambiguous = 0;
  const channels = new Set<ChannelName>();
  for (let more = true; more; ) {
    const rows = await giveSomeBack(session, lock, newId);
    for (const row of rows) {
      queued += 1;
      if (row['sent'] === true) ambiguous += 1;
      channels.add(row['channel'] as ChannelName);
    }
    more = rows.length === AT_ONCE;
  }
  return { queued, ambiguous, channels };
}

async function giveSomeBack(session: Session, lock: Call, newId: () => string): Promise<Rows> {
  try {
    const [, lost = []] = await session.send(['begin', lock]);
    const ids = lost.map((row) => row['id']);
    const [rows = []] = await session.send([call(GIVE_BACK, ids, ids.map(newId)), 'commit']);
    return rows;
  } catch (thrown) {
    if (!session.broken) await session.send(['rollback']);
    throw thrown;
  }
}
