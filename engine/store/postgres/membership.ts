import type { BreakerState } from '../../breaker.ts';
import type { SystemClock } from '../../clock.ts';
import type { ChannelName } from '../../message.ts';
import { LEASE_MS, type Membership, type Pulse } from '../../store.ts';
import type { Connection, Rows, Session } from './connection.ts';
import { sqlState, unavailable } from './failure.ts';
import { INSTANCE_LOCKS, type Presence } from './presence.ts';
import { giveBack, LOCK_LOST, LOCK_OWNED, type Recovered } from './recovery.ts';
import { call, type Statement } from './statements.ts';
import { type BreakerRow, breakerOf } from './states.ts';

/** After a restart of the server everyone gets this long to take its lock again. */
const REGROUP_MS = 3_000;

const SOMEBODY = '00000000-0000-0000-0000-000000000000';
const statement = (name: string, idle: readonly unknown[], text: string): Statement => ({ name, idle, text });

/**
 * Removes the instances that are lost: gone when their lock is free, frozen when their beat is old.
 * Whoever was away itself that long cannot tell frozen from cut off, and removes nobody for it.
 */
const REMOVE_LOST = statement(
  'remove_lost',
  [SOMEBODY],
  `with gone as (
     select i.id from hisbridge.instance i
      where i.id <> $1::uuid and (
        (i.beat < clock_timestamp() - make_interval(secs => (${LEASE_MS} + i.grace_ms) / 1000.0)
          and exists (select 1 from hisbridge.instance me where me.id = $1::uuid
            and me.beat > clock_timestamp() - make_interval(secs => ${LEASE_MS} / 1000.0)))
        or (pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => ${REGROUP_MS} / 1000.0)
          and pg_try_advisory_xact_lock(${INSTANCE_LOCKS}, i.slot)))
      for update skip locked)
   delete from hisbridge.instance i using gone where i.id = any(array[gone.id]) returning i.id`,
);

const BEAT = statement(
  'beat',
  [SOMEBODY, '', 0, 0],
  `update hisbridge.instance
      set beat = clock_timestamp(), plan = $2::text, honours = $3::int4, grace_ms = $4::int4
    where id = $1::uuid returning clock_timestamp() as now`,
);

const LIVING = statement('living', [], `select id, honours from hisbridge.instance order by joined_at, id`);

const BREAKERS = statement('breakers', [], `select * from hisbridge.channel_state`);

/** What the connection for claims and beats prepares, beside the claim itself. */
export const BEATING = [REMOVE_LOST, BEAT, LIVING, BREAKERS];

interface Hands {
  readonly presence: Presence;
  readonly connection: Connection;
  readonly clock: SystemClock;
  readonly newId: () => string;
  readonly living: (count: number) => void;
  readonly queued: (channels: ReadonlySet<ChannelName>) => void;
  readonly addListener: (listener: (channels: readonly ChannelName[]) => void) => void;
  readonly left: () => void;
}

/** An instance among the living, as PostgreSQL sees it. */
export class PostgresMembership implements Membership {
  readonly id: string;
  readonly #hands: Hands;

  constructor(hands: Hands) {
    this.id = hands.presence.id;
    this.#hands = hands;
  }

  holds(): boolean {
    return this.#hands.presence.holds;
  }

  async beat({ plan, honours, graceMs }: Parameters<Membership['beat']>[0]): Promise<Pulse | null> {
    const { presence, clock, newId, living, queued } = this.#hands;
    if (presence.lost) return null;
    return this.#exclusive(async (session) => {
      const [, , beaten = [], instances = [], breakers = []] = await session.send([
        'begin',
        call(REMOVE_LOST, this.id),
        call(BEAT, this.id, plan, honours, graceMs),
        call(LIVING),
        call(BREAKERS),
        'commit',
      ]);
      const now = beaten[0]?.['now'];
      if (!(now instanceof Date)) return null;
      clock.follow(now);
      living(instances.length);
      const recovered = await giveBack(session, call(LOCK_LOST), newId);
      queued(recovered.channels);
      return pulseOf(now, instances, breakers, recovered);
    });
  }

  onWake(listener: (channels: readonly ChannelName[]) => void): void {
    this.#hands.addListener(listener);
  }

  async leave(): Promise<void> {
    const { presence, newId, left } = this.#hands;
    left();
    try {
      await this.#exclusive(async (session) => {
        await giveBack(session, call(LOCK_OWNED, this.id), newId);
        await session.one('delete from hisbridge.instance where id = $1::uuid', [this.id]);
      });
    } finally {
      // Without the lock the others take over whatever could not be given back.
      await presence.close();
    }
  }

  /** Whatever keeps the server from it, a shutdown or an administrator, it is a store that takes nothing now. */
  #exclusive<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#hands.connection
      .exclusive(work)
      .catch((thrown) => Promise.reject(sqlState(thrown) === null ? thrown : unavailable(thrown)));
  }
}

function pulseOf(now: Date, instances: Rows, breakers: Rows, { queued, ambiguous }: Recovered): Pulse {
  const honours = instances.map((row) => row['honours']).filter((count) => typeof count === 'number');
  return {
    now,
    living: instances.map(({ id }) => String(id)),
    honoured: Math.min(...honours),
    breakers: new Map<ChannelName, BreakerState>(
      (breakers as unknown as readonly BreakerRow[]).map((row) => [row.channel, breakerOf(row)]),
    ),
    recovered: { queued, ambiguous },
  };
}
