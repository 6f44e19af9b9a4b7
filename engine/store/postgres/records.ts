import type pg from 'pg';
import type { DeliveryState } from '../../delivery.ts';
import { BridgeError } from '../../errors.ts';
import type { Digest } from '../../lane.ts';
import type { ChannelName, DeliveryId, EditionId, MessageId } from '../../message.ts';
import type {
  Again,
  DeadLetter,
  Decision,
  MessageFilter,
  MessageSummary,
  Records,
  Status,
  Trail,
} from '../../records.ts';
import type { Seal } from '../../seal.ts';
import type { Work } from '../../store.ts';
import { unavailable } from './failure.ts';
import { findMessages, idRange, listMessages } from './find.ts';
import { closeRefusal, requeue } from './interventions.ts';
import { openError, type WorkRow, workOf } from './rows.ts';
import { WORK } from './statements.ts';
import { type BreakerRow, breakerOf } from './states.ts';
import { readTrail } from './trail.ts';

interface Parts {
  readonly pool: pg.Pool;
  readonly seal: Seal;
  readonly digest: Digest;
  readonly newEdition: () => EditionId;
}

interface DeadRow {
  readonly kind: DeadLetter['kind'];
  readonly id: string;
  readonly message: MessageId;
  readonly since: Date;
  readonly code: string;
  readonly detail: Buffer | null;
  readonly type: string;
  readonly hospital: DeadLetter['hospital'];
  readonly booking: string | null;
  readonly state: 'held' | 'dead';
  readonly route: string;
  readonly channel: ChannelName;
  readonly behind: number;
}

const DEAD_LETTERS = `
  select * from (
    select 'delivery' as kind, d.id, d.message_id as message, d.stopped_at as since, coalesce(d.error, '-') as code,
        d.error_detail as detail, m.type, d.hospital, d.booking_ref as booking, d.state, d.route, d.channel,
        case when d.head then (select count(*)::int4 from hisbridge.delivery w
          where w.channel = d.channel and w.lane = d.lane and w.state = 'waiting') else 0 end as behind
      from hisbridge.delivery d left join hisbridge.message m on m.id = d.message_id
     where d.state in ('held', 'dead')
    union all
    select 'refusal', r.message_id, r.message_id, r.opened_at, r.code, m.refusal, r.type, r.hospital, r.booking,
        null, null, r.channel, 0
      from hisbridge.refusal r left join hisbridge.message m on m.id = r.message_id) l`;

/** What people ask PostgreSQL. Runs on the connections for reading. */
export class PostgresRecords implements Records {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  find(words: string, privateNames: readonly string[], limit: number): Promise<readonly MessageSummary[]> {
    const { pool, digest } = this.#parts;
    return reachable(findMessages(pool, digest, words, { privateNames, limit }));
  }

  trail(of: { readonly message: MessageId } | { readonly booking: string }): Promise<Trail | null> {
    return reachable(readTrail(this.#parts.pool, this.#parts.seal, of));
  }

  list(filter: MessageFilter): Promise<readonly MessageSummary[]> {
    return reachable(listMessages(this.#parts.pool, filter));
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return this.#dead('order by l.since limit $1', [limit]);
  }

  async deadLetter(idPrefix: string): Promise<DeadLetter> {
    const range = idRange(idPrefix);
    if (range === null) throw new BridgeError('not-found', 'that is not the beginning of an id');
    const [found, another] = await this.#dead('where l.id between $1::uuid and $2::uuid limit 2', [...range]);
    if (found === undefined) throw new BridgeError('not-found', `no dead letter ${idPrefix}`);
    if (another !== undefined)
      throw new BridgeError('not-allowed', `several dead letters begin with ${idPrefix}: say more of the id`);
    return found;
  }

  async stopped(id: DeliveryId): Promise<Work | null> {
    const { pool, seal } = this.#parts;
    const { rows } = await reachable(
      pool.query<WorkRow>(
        `with u as (select * from hisbridge.delivery where id = $1 and state in ('held', 'dead')) ${WORK}`,
        [id],
      ),
    );
    return rows[0] === undefined ? null : workOf(seal, rows[0]);
  }

  status(): Promise<Status> {
    return reachable(readStatus(this.#parts.pool));
  }

  replay(
    id: DeliveryId,
    again: Again & { readonly outOfOrder: boolean; readonly asNew: boolean },
  ): Promise<void> {
    const { pool, seal, newEdition } = this.#parts;
    return reachable(requeue(pool, seal, id, { ...again, action: 'replay', edition: newEdition() }));
  }

  notTaken(id: DeliveryId, again: Again): Promise<void> {
    const { pool, seal } = this.#parts;
    const how = { ...again, action: 'not-taken', edition: null, outOfOrder: false, asNew: false } as const;
    return reachable(requeue(pool, seal, id, how));
  }

  closeRefusal(id: MessageId, decision: Decision): Promise<void> {
    return reachable(closeRefusal(this.#parts.pool, this.#parts.seal, id, decision));
  }

  async #dead(rest: string, values: unknown[]): Promise<readonly DeadLetter[]> {
    const { pool, seal } = this.#parts;
    const { rows } = await reachable(pool.query<DeadRow>(`${DEAD_LETTERS} ${rest}`, values));
    return rows.map((row) => deadLetterOf(seal, row));
  }
}

function deadLetterOf(seal: Seal, row: DeadRow): DeadLetter {
  const { message, since, type, hospital, booking, channel, state, behind } = row;
  const base = { message, since, type, hospital, booking, channel };
  const error = openError(seal, row.id, row.code, row.detail);
  return row.kind === 'refusal'
    ? { ...base, kind: 'refusal', id: message, error }
    : {
        ...base,
        kind: 'delivery',
        id: row.id as DeliveryId,
        error,
        state,
        behind,
        route: row.route as never,
      };
}

interface CountRow {
  readonly channel: ChannelName;
  readonly state: DeliveryState;
  readonly count: number;
  readonly oldest: Date;
}

interface TotalsRow {
  readonly now: Date;
  readonly refusals: number;
  readonly promised: number;
  readonly existing: number;
}

async function readStatus(pool: pg.Pool): Promise<Status> {
  const counts = await pool.query<CountRow>(
    `select channel, state, count(*)::int4 as count, min(kept_at) as oldest
       from hisbridge.delivery group by channel, state order by channel`,
  );
  const breakers = await pool.query<BreakerRow>('select * from hisbridge.channel_state');
  const instances = await pool.query<Status['instances'][number]>(
    'select id, beat as "beatAt", plan from hisbridge.instance order by joined_at',
  );
  // One statement, one snapshot: promised and existing are of the same moment.
  const totals = await pool.query<TotalsRow>(
    `select now(), (select count(*)::int4 from hisbridge.refusal) as refusals,
       (select coalesce(sum(promised), 0)::float8 from hisbridge.message) as promised,
       ((select count(*) from hisbridge.delivery) + (select count(*) from hisbridge.delivery_ended))::float8 as existing`,
  );
  const [total] = totals.rows;
  if (total === undefined) throw new BridgeError('store-mismatch', 'the totals are missing');
  const { now, refusals, promised, existing } = total;
  return {
    now,
    channels: channelsOf(counts.rows),
    refusals,
    breakers: new Map(breakers.rows.map((row) => [row.channel, breakerOf(row)])),
    instances: instances.rows,
    ledger: { promised, existing },
  };
}

function channelsOf(rows: readonly CountRow[]): Status['channels'] {
  return [...new Set(rows.map(({ channel }) => channel))].map((channel) => {
    const own = rows.filter((row) => row.channel === channel);
    const counts = { waiting: 0, queued: 0, running: 0, held: 0, dead: 0 };
    for (const { state, count } of own) counts[state] = count;
    const moving = own
      .filter(({ state }) => state !== 'held' && state !== 'dead')
      .map(({ oldest }) => oldest.getTime());
    return { channel, counts, oldestAt: moving.length === 0 ? null : new Date(Math.min(...moving)) };
  });
}

async function reachable<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (thrown) {
    throw unavailable(thrown);
  }
}
